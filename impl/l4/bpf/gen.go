// Package bpf holds the eBPF programs and maps of an L4 node as built objects
// with their Go bindings, so that building needs only Go. It holds nothing
// else: package l4 loads, fills and attaches them. The types are plain values;
// programs and maps are safe for concurrent use as the kernel makes them.
//
// SOURCES.sha256 records the C sources that the objects were built from.
package bpf

//go:generate go tool bpf2go -target amd64 -type member_state -type conn_state -cflags "-O2 -Wall -Werror -idirafter /usr/include/x86_64-linux-gnu" L4 l4.c
//go:generate sh -c "sha256sum *.c *.h > SOURCES.sha256"
