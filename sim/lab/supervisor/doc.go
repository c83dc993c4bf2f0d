// Package supervisor owns the one owner of a lab: the detached process inside the
// sandbox that holds clients, backends, clock and ledger, and the conversation of
// every other command with it.
//
// [Launch] starts a supervisor and waits until its lab is up; when the process
// that called it dies first, the supervisor takes the lab down. [Supervise] is the
// supervisor itself. [Find] and [List] find running labs by a small entry in a
// registry directory; the lab is alive if and only if its socket answers, and the
// entry of one that is not is removed.
//
// The socket is abstract and belongs to the network namespace of the machine: it
// is made before the sandbox is entered and handed in. It vanishes with its last
// holder. Only the user who started the lab, and root, are answered.
//
// The package knows no flags and prints nothing. A Client may be used by one
// goroutine at a time.
package supervisor
