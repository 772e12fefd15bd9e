"""Other people's rulers, held against our own: voicebench, and the turn-taking scores of tau-voice and EVA."""
