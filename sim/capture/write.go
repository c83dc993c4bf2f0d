package capture

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Write merges what the rings keep into one pcapng, by time. Each ring is an
// interface with the name of its link, times are in nanoseconds, the direction of a
// packet is in its flags and the note in its comment. How many frames were on a
// link, and how many of them are not in the file, is in the statistics of its
// interface. Rings may go on filling meanwhile; the memory of all of them is needed
// once more.
func Write(w io.Writer, rings ...*Ring) error {
	if len(rings) == 0 {
		return fmt.Errorf("write capture: no links")
	}
	var (
		frames []kept
		counts []tally
	)
	for i, r := range rings {
		of, t := r.snapshot()
		for j := range of {
			of[j].link = i
		}
		frames, counts = append(frames, of...), append(counts, t)
	}
	slices.SortStableFunc(frames, func(a, b kept) int { return int(a.at - b.at) })

	out, err := newWriter(w)
	if err != nil {
		return err
	}
	for _, r := range rings {
		if _, err := out.link(r.name); err != nil {
			return err
		}
	}
	for _, f := range frames {
		if err := out.packet(f.link, epoch.Add(f.at), f.direction, f.note, f.data, int(f.length)); err != nil {
			return err
		}
	}
	for i, t := range counts {
		if err := out.tally(i, t); err != nil {
			return err
		}
	}
	return out.flush()
}

// tally counts the frames of one link.
type tally struct {
	seen    uint64 // on the link
	missing uint64 // of them not in the file
}

// writer writes one pcapng file.
type writer struct {
	ng *pcapgo.NgWriter
	w  io.Writer
}

func newWriter(w io.Writer) (*writer, error) { return &writer{w: w}, nil }

// link adds an interface and returns its number.
func (w *writer) link(name string) (int, error) {
	i := pcapgo.NgInterface{Name: name, LinkType: layers.LinkTypeEthernet, SnapLength: Snap}
	if w.ng != nil {
		n, err := w.ng.AddInterface(i)
		if err != nil {
			return 0, fmt.Errorf("write capture: %w", err)
		}
		return n, nil
	}
	ng, err := pcapgo.NewNgWriterInterface(w.w, i, pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Hardware: runtime.GOARCH, OS: runtime.GOOS, Application: "lbsim"},
	})
	if err != nil {
		return 0, fmt.Errorf("write capture: %w", err)
	}
	w.ng = ng
	return 0, nil
}

func (w *writer) packet(link int, at time.Time, d Direction, note string, data []byte, length int) error {
	var o pcapgo.NgPacketOptions
	switch d {
	case Outbound:
		o.Flags = &pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionOutbound}
	case Inbound:
		o.Flags = &pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionInbound}
	}
	if note != "" {
		o.Comments = []string{note}
	}
	ci := gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(data), Length: length, InterfaceIndex: link}
	if err := w.ng.WritePacketWithOptions(ci, data, o); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	return nil
}

func (w *writer) tally(link int, t tally) error {
	err := w.ng.WriteInterfaceStats(link, pcapgo.NgInterfaceStatistics{
		LastUpdate: time.Now(), PacketsReceived: t.seen, PacketsDropped: t.missing,
	})
	if err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	return nil
}

func (w *writer) flush() error {
	if err := w.ng.Flush(); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	return nil
}
