// Package load owns both ends of a benchmark's requests: the responder that answers
// them behind a proxy, and the open-loop load that asks at fixed moments. Each is a part
// of a sandbox, a process of its own with one thread and an epoll, because neither may
// cost much beside what is measured. Nothing here is safe for concurrent use.
package load

// broken is the exit code of a part that could not do its work.
const broken = 5
