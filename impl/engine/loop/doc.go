// Package loop owns the engine that serves HTTP/1.1 and HTTP/2, with TLS and without
// it, from event loops: each loop is one locked thread with an epoll instance,
// listeners, connections, pools of connections to targets and timers of its own.
// Nothing that is written on the path of a request is shared between loops.
//
// # A batch
//
// A loop waits for events (see wait) and carries them out as one batch: first
// whatever targets have to say, then clients, then the sockets that can go on by
// what came of that, and at last everything that was queued for writing, one
// write for each socket. A request head is a view into the loop's shared read
// buffer and is over, or owned by its exchange, before the next read.
//
// # What never happens on a loop
//
// A loop opens no file, resolves no name, shakes no hands of TLS and takes no
// lock that another goroutine may hold for long. Goroutines that do such things
// post what came of it to the loop (see mailbox).
//
// Options, Engine and Listener may be used from any goroutine; everything else
// belongs to one loop.
package loop
