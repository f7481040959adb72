// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The version of everything in abi/: it stands in the program's rodata, in the config map and in the pinned
// path.
//
// Raise it with every change of a layout or a meaning. A loader that meets pinned maps of another version
// drains and replaces them; it never reinterprets.
#pragma once

#define NW_ABI_VERSION 1
