// Package exchange owns the engine-neutral form of one request and its answer:
// what the pipeline (matching, balancing, policies, retries, log) sees, and
// what every engine (event loop, HTTP/2, library) fills in and carries out.
//
// # Life of an exchange
//
// An engine reads the head of a request into an Exchange and calls the
// Handler. The Handler says what to do next by a Verdict: Respond (with a head
// and a body source), Forward (with a plan: target, timeouts, edits), Suspend
// (somebody will call Resume) or Collect (the body of the request decides). The
// engine carries the verdict out and calls the Handler again with what came of
// it. The Handler never blocks and never does I/O; an engine may call it from an
// event loop.
//
// # Views
//
// The strings of a Request are views into the engine's read buffer, which is
// shared by all requests of a batch and written over after it. Forward, Suspend
// and Collect therefore copy the request into the exchange's arena (Own). A
// request that is answered within its batch is never copied. The strings of a
// Response are views until OnResponse returns; a body chunk until OnBody
// returns, and the body of a request that was asked for until OnRequest does.
// Who wants to keep one copies it with Arena.Copy. Package memory is an engine
// that overwrites its buffers as early as these rules allow: tests of the
// pipeline run over it.
//
// It never opens a socket, reads a clock or imports net/http, and knows nothing of what
// conditions read out of a request: see package vars.
//
// An Exchange belongs to one request at a time and is used by one goroutine at
// a time; only Resume may be called from another goroutine.
package exchange
