"""`hune predict`: ask a deployed model, as a person with a kubeconfig."""

import argparse

from hune.contract.access import DEFAULT_CALLER

_EPILOG = """\
A token for the ServiceAccount is made for ten minutes, a port is forwarded to a ready pod of the
active revision, and the answer is printed. Whoever may make tokens for a ServiceAccount may do
what that ServiceAccount may. Example:

  hune predict income --namespace shop --as analyst --file request.json
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "predict",
        help="ask a deployed model",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("name", metavar="NAME", help="name of the ModelDeployment")
    add("-n", "--namespace", help="its namespace (the current context's)")
    account = f"ServiceAccount whose right to predict is used ({DEFAULT_CALLER})"
    add("--as", dest="account", metavar="NAME", default=DEFAULT_CALLER, help=account)
    add("-f", "--file", default="-", help="the request as JSON; - for standard input")
    add("--path", help="path to ask instead of the model's predict path")


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print the answer."""
    from hune.cli.asking import ask

    ask(arguments)
    return 0
