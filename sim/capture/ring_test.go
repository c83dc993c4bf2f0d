package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
)

// packet is one packet of a file, read by the library.
type packet struct {
	link, note string
	direction  Direction
	at         time.Time
	n, length  int
	id         uint64 // the first eight bytes
}

// read reads a file back, with the counters of its links.
func read(t *testing.T, file io.Reader) ([]packet, map[string]tally) {
	t.Helper()
	stats := map[string]tally{}
	opts := pcapgo.DefaultNgReaderOptions
	var r *pcapgo.NgReader
	opts.StatisticsCallback = func(i int, s pcapgo.NgInterfaceStatistics) {
		in, err := r.Interface(i)
		if err != nil {
			t.Fatal(err)
		}
		stats[in.Name] = tally{seen: s.PacketsReceived, missing: s.PacketsDropped}
	}
	r, err := pcapgo.NewNgReader(file, opts)
	if err != nil {
		t.Fatal(err)
	}
	var out []packet
	for {
		data, ci, o, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			return out, stats
		}
		if err != nil {
			t.Fatal(err)
		}
		in, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		p := packet{link: in.Name, note: strings.Join(o.Comments, "|"), at: ci.Timestamp, n: len(data), length: ci.Length}
		if o.Flags != nil {
			switch o.Flags.Direction {
			case pcapgo.NgEpbFlagDirectionInbound:
				p.direction = Inbound
			case pcapgo.NgEpbFlagDirectionOutbound:
				p.direction = Outbound
			}
		}
		if len(data) >= 8 {
			p.id = binary.BigEndian.Uint64(data)
		}
		out = append(out, p)
	}
}

// data is a frame of so many bytes that begins with its number.
func data(id uint64, n int) []byte {
	b := make([]byte, max(n, 8))
	binary.BigEndian.PutUint64(b, id)
	return b
}

func TestRingsAreMergedByTimeUnderTheNamesOfTheirLinks(t *testing.T) {
	one, two := NewRing("bj/az1/router--bj/az2/router", 0), NewRing("client/inet-1--bj/edge", 0)
	base := time.Now()
	at := func(ns int) time.Time { return base.Add(time.Duration(ns)) }
	one.Add(at(1), Outbound, "", data(1, 60), 60)
	one.Add(at(4), Inbound, "lost", data(4, 3000), 64000)
	two.Add(at(2), Inbound, "", data(2, 61), 61)
	two.Add(at(3), Unknown, "corrupted, duplicated", data(3, 60), 60)
	two.Lose(5)
	var file bytes.Buffer
	if err := Write(&file, one, two); err != nil {
		t.Fatal(err)
	}
	got, stats := read(t, &file)
	want := []packet{
		{link: one.Name(), direction: Outbound, n: 60, length: 60, id: 1},
		{link: two.Name(), direction: Inbound, n: 61, length: 61, id: 2},
		{link: two.Name(), note: "corrupted, duplicated", n: 60, length: 60, id: 3},
		{link: one.Name(), direction: Inbound, note: "lost", n: Snap, length: 64000, id: 4},
	}
	if len(got) != len(want) {
		t.Fatalf("packets: got %+v, want %+v", got, want)
	}
	for i, p := range got {
		// The wall clock is slewed, so only the epoch ties it to the other.
		if d := p.at.Sub(epoch.Add(base.Sub(epoch))); d != time.Duration(i+1) {
			t.Errorf("packet %d: time is base + %v, want %dns", i, d, i+1)
		}
		p.at = time.Time{}
		if p != want[i] {
			t.Errorf("packet %d: got %+v, want %+v", i, p, want[i])
		}
	}
	if one, two := stats[one.Name()], stats[two.Name()]; one != (tally{2, 0}) || two != (tally{7, 5}) {
		t.Errorf("counters: got %+v and %+v, want 2 seen, and 7 seen of which 5 are missing", one, two)
	}
}

func TestRingKeepsTheNewestFramesInOrder(t *testing.T) {
	for _, limit := range []int{1, 5 * minRingBytes} { // the smallest that there is, and one that grows
		r := NewRing("w", limit)
		for i := range uint64(5000) {
			r.Add(time.Now(), Outbound, "", data(i, int(60+i*37%1900)), 0)
			if i == 100 || i == 4999 {
				checkNewest(t, r, i+1, max(limit, minRingBytes))
			}
		}
	}
}

// checkNewest wants the last of n frames in the ring, and that it is full.
func checkNewest(t *testing.T, r *Ring, n uint64, limit int) {
	t.Helper()
	frames, counts := r.snapshot()
	bytes := 0
	for i, f := range frames {
		id := binary.BigEndian.Uint64(f.data)
		if want := n - uint64(len(frames)-i); id != want || len(f.data) != int(60+id*37%1900) {
			t.Fatalf("frame %d: got number %d of %d bytes, want number %d", i, id, len(f.data), want)
		}
		bytes += len(f.data)
	}
	if counts.missing > 0 && bytes < limit*8/10 || bytes > limit {
		t.Errorf("a ring of %d bytes keeps %d", limit, bytes)
	}
	if counts.seen != n || counts.missing != n-uint64(len(frames)) {
		t.Errorf("counters: %+v with %d of %d kept", counts, len(frames), n)
	}
}

func TestFullRingAllocatesNothing(t *testing.T) {
	r := NewRing("w", minRingBytes)
	b := data(1, 60)
	for range 2 * minRingBytes / 60 {
		r.Add(time.Now(), Outbound, "lost", b, 60)
	}
	if n := testing.AllocsPerRun(1000, func() { r.Add(time.Now(), Outbound, "lost", b, 60) }); n != 0 {
		t.Errorf("allocations for each frame: %v", n)
	}
	for range 3 * minRingBytes {
		r.Add(time.Now(), Outbound, "", nil, 0)
	}
	if most := minRingBytes / bytesPerEntry; len(r.entries) > 2*most {
		t.Errorf("a ring of %d bytes has %d entries, want at most %d", minRingBytes, len(r.entries), 2*most)
	}
}

func TestRingMayBeWrittenWhileItFills(t *testing.T) {
	r := NewRing("w", 0)
	stop := make(chan struct{})
	var fill sync.WaitGroup
	for range 2 {
		fill.Go(func() {
			for i := uint64(0); ; i++ {
				select {
				case <-stop:
					return
				default:
					r.Add(time.Now(), Outbound, "", data(i, 1000), 1000)
				}
			}
		})
	}
	for range 20 {
		if err := Write(io.Discard, r); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	fill.Wait()
}

func TestCaptureOfNoLinkIsRefused(t *testing.T) {
	if err := Write(io.Discard); err == nil {
		t.Error("a file without links was written")
	}
}

func TestStreamWritesEachFrameAtOnceUpToItsSize(t *testing.T) {
	var file bytes.Buffer
	s, err := NewStream(&file, 1000, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Sink("b")
	if err != nil {
		t.Fatal(err)
	}
	b.Add(time.Now(), Inbound, "", data(1, 400), 400)
	if got, _ := read(t, bytes.NewReader(file.Bytes())); len(got) != 1 || got[0].link != "b" || got[0].direction != Inbound {
		t.Errorf("after one frame the file has %+v", got)
	}
	b.Add(time.Now(), Inbound, "", data(2, 400), 400)
	select {
	case <-s.Done():
		t.Error("the stream ended before its size")
	default:
	}
	b.Add(time.Now(), Inbound, "", data(3, 400), 400)
	b.Lose(2)
	<-s.Done()
	if err := s.Close(); !errors.Is(err, ErrFull) {
		t.Errorf("Close: got %v, want %v", err, ErrFull)
	}
	got, stats := read(t, &file)
	if len(got) != 2 || stats["b"] != (tally{5, 3}) || s.Missing() != 3 {
		t.Errorf("file: got %d packets, %+v, %d missing; want 2 of 5", len(got), stats, s.Missing())
	}
	if _, err := s.Sink("c"); err == nil {
		t.Error("a link that is not in the file has a sink")
	}
}

func TestStreamEndsWithTheErrorOfItsFile(t *testing.T) {
	w := &broken{}
	s, err := NewStream(w, 0, "a")
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Sink("a")
	if err != nil {
		t.Fatal(err)
	}
	w.err = fmt.Errorf("disk is full")
	a.Add(time.Now(), Inbound, "", data(1, 60), 60)
	<-s.Done()
	if err := s.Close(); !errors.Is(err, w.err) {
		t.Errorf("Close: got %v, want %v", err, w.err)
	}
}

type broken struct{ err error }

func (b *broken) Write(p []byte) (int, error) { return len(p), b.err }
