// Package bpf holds the programs of the forwarding plane as compiled objects,
// with the Go types of their maps. The C sources lie beside them; building
// needs only Go, because the objects are committed.
//
// After a change of a source, go generate (clang, llvm-strip and libbpf's
// headers) makes the objects anew and records the sources' digests in
// SOURCES.sha256; the same compiler makes the same bytes.
//
// The package decides nothing: impl/fnat loads, attaches and fills what is
// here. It keeps no state, so everything in it may be used concurrently.
package bpf

// asm/types.h lies in a folder named after the machine on Debian and its
// children; where that does not exist the flag has no effect.
//go:generate go tool bpf2go -go-package bpf -target amd64 -output-stem gateway Gateway gateway.c -- -O2 -Wall -Werror -idirafter /usr/include/x86_64-linux-gnu
//go:generate go tool bpf2go -go-package bpf -target amd64 -output-stem vswitch Vswitch vswitch.c -- -O2 -Wall -Werror -idirafter /usr/include/x86_64-linux-gnu
//go:generate go tool bpf2go -go-package bpf -target amd64 -output-stem tunnel Tunnel tunnel.c -- -O2 -Wall -Werror -idirafter /usr/include/x86_64-linux-gnu
//go:generate go tool bpf2go -go-package bpf -target amd64 -output-stem testrun Testrun testrun.c -- -O2 -Wall -Werror -idirafter /usr/include/x86_64-linux-gnu
//go:generate sh -c "sha256sum *.c *.h > SOURCES.sha256"
