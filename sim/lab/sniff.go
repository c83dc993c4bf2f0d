package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/unilb/unilb/sim/capture"
	"github.com/unilb/unilb/topology"
)

// MaxSniffed is the most links that one capture looks at: each has a buffer of its
// own in the kernel.
const MaxSniffed = 64

// MaxSniff is the longest that a capture lasts.
const MaxSniff = time.Hour

// Captured is what a capture holds.
type Captured struct {
	Links   []string      `json:"links"`
	Ring    bool          `json:"ring"` // what the wires had kept; else what passed meanwhile
	Frames  uint64        `json:"frames"`
	Missing uint64        `json:"missing"`        // were on the links and are not in the file
	Full    bool          `json:"full,omitempty"` // it ended because it had reached its size
	Took    time.Duration `json:"took"`
}

// A SelectionError says what is wrong with a choice of links.
type SelectionError struct {
	Links topology.LinkSelector
	Why   string
}

func (e *SelectionError) Error() string { return fmt.Sprintf("capture %q: %s", string(e.Links), e.Why) }

// Sniff writes the frames that pass the selected links, as their first ends see
// them, to one pcapng until ctx is done, MaxSniff is over or the file has
// capture.DefaultStreamBytes. Each interface of the file has the name of its link.
func (l *Lab) Sniff(ctx context.Context, w io.Writer, sel topology.LinkSelector) (Captured, error) {
	links, err := l.selectLinks(sel)
	if err != nil {
		return Captured{}, err
	}
	if len(links) > MaxSniffed {
		return Captured{}, &SelectionError{sel, fmt.Sprintf("it selects %d links; %d at most can be looked at together", len(links), MaxSniffed)}
	}
	var c Captured
	for _, pl := range links {
		c.Links = append(c.Links, pl.Name)
	}
	stream, err := capture.NewStream(w, 0, c.Links...)
	if err != nil {
		return c, fmt.Errorf("capture %q: %w", sel, err)
	}
	start := time.Now()
	seen, err := l.sniffAll(ctx, stream, links)
	c.Took = time.Since(start)
	cerr := stream.Close()
	if errors.Is(cerr, capture.ErrFull) {
		c.Full, cerr = true, nil
	}
	c.Missing = stream.Missing()
	c.Frames = seen - min(seen, c.Missing)
	if err = cmp.Or(err, cerr); err != nil {
		return c, fmt.Errorf("capture %q: %w", sel, err)
	}
	return c, nil
}

// sniffAll feeds the stream and returns how many frames were on the links.
func (l *Lab) sniffAll(ctx context.Context, stream *capture.Stream, links []topology.Link) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, MaxSniff)
	defer cancel()
	var sniffers []*capture.Sniffer
	var errs []error
	for _, pl := range links {
		sink, err := stream.Sink(pl.Name)
		if err == nil {
			var s *capture.Sniffer
			if s, err = capture.Sniff(ctx, l.nodes[pl.A.Node].ns, pl.A.If, sink); err == nil {
				sniffers = append(sniffers, s)
			}
		}
		if err != nil {
			errs = append(errs, err)
			cancel()
			break
		}
	}
	select {
	case <-ctx.Done():
	case <-stream.Done():
		cancel()
	}
	var seen uint64
	for _, s := range sniffers {
		of, err := s.Wait()
		seen += of.Frames + of.Dropped
		errs = append(errs, err)
	}
	return seen, errors.Join(errs...)
}

// CaptureRing writes what the selected wires keep, as Capture does, and counts it.
func (l *Lab) CaptureRing(w io.Writer, sel topology.LinkSelector) (Captured, error) {
	c := Captured{Ring: true}
	start := time.Now()
	if err := l.Capture(w, sel); err != nil {
		return c, err
	}
	for _, wr := range l.wires {
		if wr.Ring != nil && sel.Match(wr.Link.A.Node, wr.Link.B.Node) {
			c.Links = append(c.Links, wr.Link.Name)
			kept, missing := wr.Ring.Kept()
			c.Frames, c.Missing = c.Frames+kept, c.Missing+missing
		}
	}
	c.Took = time.Since(start)
	return c, nil
}

// AllWires says whether the selector selects wires alone, and at least one.
func (l *Lab) AllWires(sel topology.LinkSelector) (bool, error) {
	links, err := l.selectLinks(sel)
	for _, pl := range links {
		if pl.Kind != topology.LinkWire {
			return false, err
		}
	}
	return len(links) > 0, err
}

func (l *Lab) selectLinks(sel topology.LinkSelector) ([]topology.Link, error) {
	if err := sel.Check(); err != nil {
		return nil, &SelectionError{sel, err.Error()}
	}
	var out []topology.Link
	for _, pl := range l.plan.Links {
		if sel.Match(pl.A.Node, pl.B.Node) {
			out = append(out, pl)
		}
	}
	if len(out) == 0 {
		return nil, &SelectionError{sel, fmt.Sprintf("it selects none of the %d links of lab %s", len(l.plan.Links), l.plan.Lab)}
	}
	return out, nil
}
