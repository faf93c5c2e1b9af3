"""Compiles the transport kernel where there is a compiler; everything else is in pyproject.toml.

The same source is compiled once per instruction set and the processor is asked at run time, so a
wheel serves every machine of its architecture. Without a compiler the install still succeeds and
the searches run on torch.
"""

import platform
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = Path("shieldclip/transport/native")
COMMON = [
    "block.cpp", "dispatch.cpp", "interface.cpp", "matcher.cpp", "pair.cpp", "precise.cpp",
    "winner.cpp",
]  # fmt: skip
INSTRUCTIONS = {"generic": []}
MACROS = []
if platform.machine().lower() in {"x86_64", "amd64"}:
    INSTRUCTIONS["avx2"] = ["-mavx2", "-mfma"]
    INSTRUCTIONS["avx512"] = ["-mavx512f", "-mavx512dq", "-mavx2", "-mfma"]
    INSTRUCTIONS["avx512vnni"] = [*INSTRUCTIONS["avx512"], "-mavx512vnni"]
    MACROS = [("SHIELDCLIP_X86", None)]
FLAGS = ["-std=c++17", "-O3", "-g0", "-fopenmp-simd", "-Wno-psabi", "-pthread"]


class BuildKernel(build_ext):
    """Compiles kernels.cpp several times, which an Extension alone cannot say."""

    def build_extension(self, extension):
        """Compile the kernel per instruction set, then the rest, then link."""
        extension.extra_objects = [
            compiled
            for name, flags in INSTRUCTIONS.items()
            for compiled in self.compiler.compile(
                [str(SOURCES / "kernels.cpp")],
                output_dir=str(Path(self.build_temp, name)),
                macros=[("ISA", name)],
                extra_postargs=FLAGS + flags,
            )
        ]
        super().build_extension(extension)


KERNEL = Extension(
    "shieldclip.transport._native",
    sources=[str(SOURCES / name) for name in COMMON],
    depends=[str(path) for path in sorted(SOURCES.glob("*.[ch]*"))],
    define_macros=MACROS,
    extra_compile_args=FLAGS,
    extra_link_args=["-pthread"],
    language="c++",
    optional=True,
)

setup(ext_modules=[KERNEL], cmdclass={"build_ext": BuildKernel})
