"""Streamlit's server, which loads the model at startup, not when the first visitor comes.

python -m fervt.ui.server run streamlit_app.py
"""

import gc
import logging
import threading

_THREAD = "load"
_QUIET = "streamlit.runtime.scriptrunner_utils.script_run_context"


def main() -> None:
    """Runs Streamlit's command line with the model loading beside it."""
    threading.Thread(target=_load, name=_THREAD, daemon=True).start()
    from streamlit.web.cli import main as run_streamlit

    run_streamlit(prog_name="streamlit")


def _load() -> None:
    """Imports what pages import and explains Home's face.

    A failure ends only this thread, with its traceback in the server's log; the first page tells
    the visitor.
    """
    # Streamlit warns that there is no visitor yet, which is the point.
    logging.getLogger(_QUIET).addFilter(lambda record: record.threadName != _THREAD)
    gc.disable()  # searching for garbage among the objects that imports create takes a second
    try:
        from fervt.ui.checkpoints import load_shipped, shipped_names
        from fervt.ui.home.hero import explain_example
        from fervt.ui.home.stages import make_stages

        flagship = load_shipped(shipped_names()[0])
        make_stages(flagship, explain_example(flagship))
        for name in shipped_names()[1:]:
            load_shipped(name)
    finally:
        gc.freeze()  # all of that stays, so later searches leave it out
        gc.enable()


if __name__ == "__main__":
    main()
