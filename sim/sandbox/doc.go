// Package sandbox owns the walls around the testbed: it runs a program again
// inside new pid, mount and network namespaces, with a fresh /proc, /sys and
// /run, its own bpffs on /sys/fs/bpf and the loopback device up. As an ordinary
// user it adds a user namespace; eBPF and TAP devices are then usually missing,
// and [Require] says so.
//
// Three processes take part. The outer one is the program as it was started; it
// starts the inner side, passes SIGINT, SIGTERM and SIGQUIT on and ends with the
// same exit code. Pid 1 of the sandbox is a small init: it builds the mounts,
// starts the inner process and reaps whatever is orphaned. The inner process is
// the program itself. When the outer process or pid 1 dies, however it dies, the
// kernel ends every process inside, and with them go the namespaces, mounts and
// pinned eBPF objects: nothing is cleaned up by code that could fail to run.
//
// The package never touches the namespaces of the machine and never configures
// networks beyond the loopback device. Its functions are safe for concurrent
// use, except Init and Main, which belong at the start of a program.
package sandbox
