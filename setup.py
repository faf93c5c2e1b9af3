"""Compiles the transport kernel where there is a compiler; everything else is in pyproject.toml.

The same source is compiled once per instruction set and the processor is asked at run time, so a
wheel serves every machine of its architecture. Without a compiler the install still succeeds and
the searches run on torch.
"""

import platform
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

SOURCES = Path("shieldclip/transport/native")
COMMON = [
    "block.cpp", "dispatch.cpp", "inspect.cpp", "interface.cpp", "matcher.cpp", "pair.cpp",
    "precise.cpp", "winner.cpp",
]  # fmt: skip
FLAGS = ["-std=c++17", "-O3", "-g0", "-fopenmp-simd", "-Wno-psabi", "-pthread"]
AVX2 = ["-mavx2", "-mfma"]
# GCC 12 takes the placeholders in its own AVX-512 headers for uninitialised variables.
QUIET = ["-Wno-uninitialized", "-Wno-maybe-uninitialized", "-Wno-unknown-warning-option"]
AVX512 = [*AVX2, "-mavx512f", "-mavx512dq", *QUIET]
INSTRUCTIONS = {"generic": []}
if platform.machine().lower() in {"x86_64", "amd64"}:
    INSTRUCTIONS |= {
        "avx2": AVX2,
        "avxvnni": [*AVX2, "-mavxvnni"],
        "avx512": AVX512,
        "avx512vnni": [*AVX512, "-mavx512vnni"],
    }


class BuildKernel(build_ext):
    """Compiles kernels.cpp several times, which an Extension alone cannot say."""

    def build_extension(self, extension):
        """Compile the kernel per instruction set, then the rest, then link."""
        known = {name: flags for name, flags in INSTRUCTIONS.items() if self.accepts(flags)}
        extension.define_macros = [(f"SHIELDCLIP_{name.upper()}", None) for name in known]
        extension.extra_objects = [
            compiled
            for name, flags in known.items()
            for compiled in self.compiler.compile(
                [str(SOURCES / "kernels.cpp")],
                output_dir=str(Path(self.build_temp, name)),
                macros=[("ISA", name)],
                extra_postargs=FLAGS + flags,
            )
        ]
        super().build_extension(extension)

    def accepts(self, flags):
        """Does the compiler know these flags? Old ones lack the newest instruction sets."""
        empty = Path(self.build_temp, "empty.cpp")
        empty.parent.mkdir(parents=True, exist_ok=True)
        empty.write_text("")
        try:
            self.compiler.compile([str(empty)], output_dir=str(empty.parent), extra_postargs=flags)
        except CompileError:
            return False
        return True


KERNEL = Extension(
    "shieldclip.transport._native",
    sources=[str(SOURCES / name) for name in COMMON],
    depends=[str(path) for path in sorted(SOURCES.glob("*.[ch]*"))],
    extra_compile_args=FLAGS,
    extra_link_args=["-pthread"],
    language="c++",
    optional=True,
)

setup(ext_modules=[KERNEL], cmdclass={"build_ext": BuildKernel})
