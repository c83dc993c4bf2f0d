package supervisor

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// CaptureOptions say what of a lab's traffic is wanted.
type CaptureOptions struct {
	Links topology.LinkSelector `json:"links"`
	// Ring asks for what the wires have kept; the zero value for what passes from
	// now on, except that wires alone, without a time, mean their rings.
	Ring bool `json:"ring,omitempty"`
	// For is how long to listen; 0: until a signal, or lab.MaxSniff.
	For time.Duration `json:"for,omitempty"`
}

// Capture lets the lab write a pcapng into the file. A signal on the channel ends
// it in an orderly way. The error is an *InputError when the selector is wrong.
func (c *Client) Capture(ctx context.Context, o CaptureOptions, signals <-chan os.Signal, into *os.File) (lab.Captured, error) {
	r, err := c.ask(ctx, request{Verb: verbCapture, Capture: &o}, signals, into)
	if err != nil {
		return lab.Captured{}, err
	}
	if r.Capture == nil {
		return lab.Captured{}, errors.New("no capture in the answer")
	}
	return *r.Capture, nil
}

// capture serves a client that wants a capture; the end of the client is the end
// of the capture.
func (s *supervisor) capture(ctx context.Context, l *lab.Lab, r request, files []*os.File, messages <-chan message) reply {
	if r.Capture == nil || len(files) != 1 {
		return reply{Error: "a capture needs a selector and a file"}
	}
	ring := r.Capture.Ring
	if !ring && r.Capture.For == 0 {
		wires, err := l.AllWires(r.Capture.Links)
		if err != nil {
			return captureError(err)
		}
		ring = wires
	}
	if ring {
		c, err := l.CaptureRing(files[0], r.Capture.Links)
		if err != nil {
			return captureError(err)
		}
		return reply{Capture: &c}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if r.Capture.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.Capture.For)
		defer cancel()
	}
	go func() {
		select {
		case <-messages: // whatever the signal, it means enough
			cancel()
		case <-ctx.Done():
		}
	}()
	c, err := l.Sniff(ctx, files[0], r.Capture.Links)
	if err != nil {
		return captureError(err)
	}
	return reply{Capture: &c}
}

func captureError(err error) reply {
	var wrong *lab.SelectionError
	return reply{Error: err.Error(), Input: errors.As(err, &wrong)}
}
