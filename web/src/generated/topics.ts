// Written by `make reference` from agent_worker/room/topics.py, which explains each name.

export const TURN_TOPIC = "agent_worker.turn";
export const PRERESPONSE_TOPIC = "agent_worker.preresponse";
export const BACKCHANNEL_TOPIC = "agent_worker.backchannel";
export const STRATEGY_ATTRIBUTE = "agent_worker.strategy";
export const ROLE_ATTRIBUTE = "agent_worker.role";
export const SUPERVISOR_ROLE = "supervisor";
export const SET_STRATEGY = "agent_worker.set_strategy";
export const METRICS_ATTRIBUTE = "agent_worker.metrics";
export const DISPATCH_CLAIM_ATTRIBUTE = "agent_worker.asked";
export const ANNOUNCER_ATTRIBUTE = "agent_worker.announcer";
export const LANGUAGE_ATTRIBUTE = "agent_worker.language";
export const CONVERSATION_KEY = "agent_worker.conversation";
