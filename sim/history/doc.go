// Package history owns the evidence of a run: what clients did (Op), what
// backends saw (Arrival), what was written to the configuration (Write, and
// AdminCall with what was read), which faults were active (FaultWindow), which
// spans have a name (Span), what was there before and after (Census) and what else
// happened (Event), all stamped by one monotonic clock that starts with the run.
//
// It never judges (sim/check does), never talks to anything and knows no lab.
// A Recorder is safe for concurrent use; a History is a plain value that must
// not be changed while somebody reads it.
package history
