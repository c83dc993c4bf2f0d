// Package loop owns the engine that serves HTTP/1.1 and HTTP/2, with TLS and without
// it, and speaks both to targets, from event loops: each loop is one locked thread with
// an epoll instance, listeners, connections, pools of connections to targets and timers
// of its own. Nothing that is written on the path of a request is shared between loops.
//
// # A batch
//
// A loop waits for events (see wait) and carries them out as one batch: first
// whatever targets have to say, then clients, then the sockets that can go on by
// what came of that, and at last everything that was queued for writing, one
// write for each socket. A request head is a view into the loop's shared read
// buffer and is over, or owned by its exchange, before the next read.
//
// # An exchange
//
// A run carries an exchange. Its front is the client's side, a connection or a stream of
// one (mux); its back is the target's, a connection (upstream) or a stream of one (a
// branch of a trunk). Each front works with each back: what they tell each other of
// bodies are views, and who cannot go on says that it is full.
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
