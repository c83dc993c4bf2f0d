package fault

import (
	"context"
	"time"
)

// Echo is the echo backend of a machine, if the lab has given it one.
type Echo interface {
	// Misbehaving is what it has been told; false when the machine has no backend
	// of the lab's own.
	Misbehaving() (Misbehaviour, bool)
	Misbehave(Misbehaviour) error
	// TryBackend asks it for something from the machine itself, and gives up
	// after the time.
	TryBackend(ctx context.Context, patience time.Duration) Answer
}

// An Answer is what a client saw of a backend.
type Answer struct {
	Status int           // of its health path; 0: no head of a response came
	After  time.Duration // until the head was there, or until the client gave up
	Took   time.Duration // until the body was there, or until the client gave up
	Wrong  Wrong         // what was wrong with it; "" for an answer in good order
	Err    string        // the client's error
}

// A Wrong is what a client can say about a bad answer.
type Wrong string

// The ways in which an answer can be wrong.
const (
	Silence   Wrong = "silence"   // the client gave up
	Refused   Wrong = "refused"   // no connection
	Reset     Wrong = "reset"     // RST
	Malformed Wrong = "malformed" // no HTTP
	Short     Wrong = "short"     // less body than was announced
)
