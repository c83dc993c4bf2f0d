// Package disk owns disks that can be made slow or broken: a FUSE file system
// that passes everything on to a directory behind it, and delays or fails writes
// and fsyncs when it is told to. Its users see an ordinary file system: the page
// cache works, and a shared mmap of a file sees what is written to it.
//
// The file system is served by a child process, this program started again (see
// sandbox.Part), and never by the process that mounts it. A process that served
// its own mount would wait for itself wherever it touches the mount: in a page
// fault that stops its garbage collector, or in a thread that must end before the
// kernel closes its descriptors, so that not even SIGKILL could free it. The
// child never touches the mount once it is made. It ends with its standard input, so a
// disk does not outlive the process that made it; in a sandbox the kernel ends
// both, closes the child's /dev/fuse and fails what still waits for an answer.
//
// The package makes no namespaces and decides nothing about when a disk is slow.
// A Disk is safe for concurrent use.
package disk
