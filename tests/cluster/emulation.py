"""Programs of ARM on a machine that is none: the kernel hands them to qemu."""

from pathlib import Path

from tests.cluster.command import run
from tests.cluster.packages import install

# A Raspberry Pi 4, as qemu calls its processor, and what its kernel says of each core.
PROCESSOR = "cortex-a72"
CORE = """\
processor\t: {number}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""
_KERNEL = Path("/proc/sys/fs/binfmt_misc")
_HANDLER = _KERNEL / "qemu-aarch64"
_PACKAGES = ("binfmt-support", "qemu-user-static")


def provide() -> None:
    """See to it that programs for arm64 run here, also in a root of their own."""
    if _HANDLER.exists():
        return
    install(_PACKAGES)
    if not (_KERNEL / "register").exists():
        run(["mount", "-t", "binfmt_misc", "none", _KERNEL])
    run(["update-binfmts", "--enable", "qemu-aarch64"])


def describe_processor(cores: int) -> str:
    """Return a text for /proc/cpuinfo, where qemu 7 shows the processor of this machine.

    onnxruntime's library for processors crashes on a machine that is called ARM and describes none.
    """
    return "".join(CORE.format(number=number) for number in range(cores))
