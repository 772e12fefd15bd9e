"""``check``: would this worker be able to hold a conversation, and if not, what is to be done?

``command`` runs it, ``examination`` says what is looked at and in which order: ``own_files`` and ``this_machine``, then
``livekit_server``, then ``providers``. Each gives findings (``findings``), which ``report`` shows.
"""
