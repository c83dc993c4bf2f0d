// Package bpf looks at eBPF objects that others have pinned, and fills tables of
// theirs. It knows neither their programs nor what their keys mean: objects are
// found by path, keys and values are bytes.
//
// It never loads a program, never makes a map and never attaches anything; the
// forwarding planes own those. Its functions are safe for concurrent use, and
// work across processes: what one filled, another can empty.
package bpf
