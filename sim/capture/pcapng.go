package capture

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// writer writes one pcapng file.
type writer struct{ ng *pcapgo.NgWriter }

// newWriter begins a file with an interface for each of the names, numbered from 0.
func newWriter(w io.Writer, names []string) (*writer, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("write capture: no links")
	}
	var out writer
	for i, name := range names {
		in := pcapgo.NgInterface{Name: name, LinkType: layers.LinkTypeEthernet, SnapLength: Snap}
		var err error
		if i == 0 {
			out.ng, err = pcapgo.NewNgWriterInterface(w, in, pcapgo.NgWriterOptions{
				SectionInfo: pcapgo.NgSectionInfo{Hardware: runtime.GOARCH, OS: runtime.GOOS, Application: "lbsim"},
			})
		} else {
			_, err = out.ng.AddInterface(in)
		}
		if err != nil {
			return nil, fmt.Errorf("write capture: %w", err)
		}
	}
	return &out, nil
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

// tally counts the frames of one link.
type tally struct {
	seen    uint64 // on the link
	missing uint64 // of them not in the file
}

// end writes the statistics of each link and what is buffered.
func (w *writer) end(counts []tally) error {
	for link, t := range counts {
		err := w.ng.WriteInterfaceStats(link, pcapgo.NgInterfaceStatistics{
			LastUpdate: time.Now(), PacketsReceived: t.seen, PacketsDropped: t.missing,
		})
		if err != nil {
			return fmt.Errorf("write capture: %w", err)
		}
	}
	return w.flush()
}

func (w *writer) flush() error {
	if err := w.ng.Flush(); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	return nil
}
