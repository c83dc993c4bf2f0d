package history

import (
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/topology"
)

func TestRecorderKeepsEverythingFromManyGoroutines(t *testing.T) {
	r := NewRecorder(NewClock())
	var wg sync.WaitGroup
	const goroutines, each = 16, 500
	for range goroutines {
		wg.Go(func() {
			for range each {
				r.Op(Op{ID: "x", Sent: r.Now()})
				r.Arrival(Arrival{ID: "x"})
				r.Write(Write{Key: "k"})
				r.Event(Event{Text: "e"})
				r.Admin(AdminCall{Key: "k"})
			}
		})
	}
	wg.Wait()
	h := r.Snapshot()
	for name, got := range map[string]int{"ops": len(h.Ops), "arrivals": len(h.Arrivals), "writes": len(h.Writes), "events": len(h.Events), "admin calls": len(h.AdminCalls)} {
		if got != goroutines*each {
			t.Errorf("%s: got %d, want %d", name, got, goroutines*each)
		}
	}
	seen := map[uint64]bool{}
	for _, o := range h.Ops {
		if seen[o.Seq] {
			t.Fatalf("sequence number %d is used twice", o.Seq)
		}
		seen[o.Seq] = true
	}
}

func TestRecorderCountsWhatDoesNotFit(t *testing.T) {
	r := NewRecorder(NewClock())
	r.max = 2
	for range 5 {
		r.Op(Op{})
	}
	r.Arrival(Arrival{})
	if h := r.Snapshot(); len(h.Ops) != 2 || h.Lost != 3 {
		t.Errorf("got %d ops and %d lost, want 2 and 3", len(h.Ops), h.Lost)
	}
}

func TestFaultGetsItsEndLater(t *testing.T) {
	r := NewRecorder(NewClock())
	r.Fault(FaultWindow{ID: "a", Window: Window{From: 5}})
	if h := r.Snapshot(); len(h.Faults) != 1 || !h.Faults[0].Open() {
		t.Fatalf("got %+v, want one open window", h.Faults)
	}
	r.Fault(FaultWindow{ID: "a", Window: Window{From: 5, To: 9}})
	if h := r.Snapshot(); len(h.Faults) != 1 || h.Faults[0].To != 9 {
		t.Errorf("got %+v, want one window that ends at 9", h.Faults)
	}
}

func TestMergeKeepsSharedRecordsOnce(t *testing.T) {
	r := NewRecorder(NewClock())
	for i, stream := range []string{"fast", "slow", "fast"} {
		id := stream + string(rune('0'+i))
		r.Op(Op{ID: id, Stream: stream, Sent: time.Duration(3 - i)})
		r.Arrival(Arrival{ID: id, At: time.Duration(10 + i)})
	}
	r.Arrival(Arrival{ID: "", At: 1})
	r.Write(Write{Key: "k"})
	r.Admin(AdminCall{Key: "k"})
	r.Span(Span{Name: "cost", Window: Window{From: 1}})
	fast := r.Snapshot().Only(func(o Op) bool { return o.Stream == "fast" })
	slow := r.Snapshot().Only(func(o Op) bool { return o.Stream == "slow" })
	if len(fast.Ops) != 2 || len(fast.Arrivals) != 3 {
		t.Errorf("fast: got %d ops and %d arrivals, want 2 and 3 (one of nobody)", len(fast.Ops), len(fast.Arrivals))
	}
	m := Merge(fast, slow, nil)
	if len(m.Ops) != 3 || len(m.Arrivals) != 4 || len(m.Writes) != 1 {
		t.Errorf("merged: got %d ops, %d arrivals, %d writes, want 3, 4, 1", len(m.Ops), len(m.Arrivals), len(m.Writes))
	}
	if len(m.AdminCalls) != 1 || len(m.Spans) != 1 {
		t.Errorf("merged: got %d admin calls, %d spans, want 1, 1", len(m.AdminCalls), len(m.Spans))
	}
	if m.Ops[0].Sent != 1 || m.Ops[2].Sent != 3 {
		t.Errorf("ops are not in order of sending: %+v", m.Ops)
	}
}

func TestWindowEnds(t *testing.T) {
	w := Window{From: 10, To: 20}
	for at, want := range map[time.Duration]bool{9: false, 10: true, 20: true, 21: false} {
		if got := w.Contains(at); got != want {
			t.Errorf("Contains(%d): got %v, want %v", at, got, want)
		}
	}
	if !w.Overlaps(0, 10) || w.Overlaps(0, 9) || w.Overlaps(21, 30) || !w.Overlaps(0, 100) {
		t.Error("Overlaps is wrong at an end")
	}
	open := Window{From: 10}
	if !open.Contains(1<<60) || open.Contains(9) || !open.Plus(5).Open() {
		t.Error("an open window reaches to the end of the run, and stays open")
	}
}

func full() *History {
	return &History{
		Start: time.Date(2026, 3, 2, 10, 14, 5, 0, time.UTC),
		Ops: []Op{{Seq: 1, ID: "a-1", Stream: "s", Client: "client/inet-1", Kind: "http", To: "203.0.113.10:80", From: "198.51.100.1:4000", Intended: 1, Sent: 2, Returned: 3,
			Request: Request{Method: "GET", Target: "/x?<>", Header: []Field{{"X-A", "1"}}}, Response: &Response{Status: 200, Backend: "vpc/shop/web-1"}, Outcome: OK, Conn: 1, Reused: 2}},
		Arrivals:   []Arrival{{Seq: 2, ID: "a-1", Backend: "vpc/shop/web-1", VNI: 1001, From: "100.127.0.1:5", At: 3, Seen: Request{Method: "GET", Target: "/x?<>"}, Cut: true}},
		Writes:     []Write{{Seq: 3, Key: "routes/1", Rev: 7, Call: 1, Return: 2, Outcome: OK, Object: []byte(`{"uri":"/"}`), InForce: 9, Serves: &Serves{Host: "h", Backends: []topology.Ref{"b"}}}},
		AdminCalls: []AdminCall{{Seq: 5, Client: "client/inet-1#2", Verb: "put", Key: "/routes/7", Object: []byte(`{"uri":"/"}`), Call: 1, Return: 2, Outcome: OK, Status: 201, Rev: 7}},
		Faults:     []FaultWindow{{ID: "f", Window: Window{From: 1, To: 2}, Name: "outage", Kind: "kill", Text: "kill x", Targets: []topology.Ref{"x"}}},
		Spans:      []Span{{Name: "cost", Window: Window{From: 1, To: 3}}},
		Events:     []Event{{Seq: 4, At: 1, Kind: "step", Text: "az1 loses power"}},
		Before:     &Census{At: 1, Things: map[Kind][]Thing{Processes: {{ID: "1@5", Text: "1 init"}}, Pins: {}}},
		After:      &Census{At: 9, Things: map[Kind][]Thing{Processes: {{ID: "1@5", Text: "1 init"}}, Pins: {{ID: "/sys/fs/bpf/x"}}}},
		Lost:       1,
	}
}

func BenchmarkRecordOp(b *testing.B) {
	r := NewRecorder(NewClock())
	r.max = b.N + 1
	for b.Loop() {
		r.Op(Op{ID: "x"})
	}
}
