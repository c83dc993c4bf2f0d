//go:build netns

package wire_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/capture"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

// BenchmarkRoundTrip reports round trips of datagrams over a quiet wire, less twice
// the nominal delay.
func BenchmarkRoundTrip(b *testing.B) {
	for _, delay := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 25 * time.Millisecond} {
		b.Run(delay.String(), func(b *testing.B) {
			i := topology.Impairment{Delay: delay}
			from, to, _ := cable(b, wire.Options{AB: i, BA: i})
			echo(b, to, "10.0.0.0:7")
			conn := dial(b, from, "udp4", "10.0.0.0:7")
			var over []time.Duration
			cpu := cpuTime(b)
			for b.Loop() {
				rtt, ok := trip(b, conn, 5*time.Second)
				if !ok {
					b.Fatal("no answer")
				}
				over = append(over, rtt-2*delay)
			}
			b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N), "cpu-us/trip")
			slices.Sort(over)
			for name, q := range map[string]float64{"p0": 0, "p50": 0.5, "p90": 0.9, "p99": 0.99} {
				b.ReportMetric(float64(over[int(q*float64(len(over)-1))].Microseconds()), name+"-over-us")
			}
		})
	}
}

// BenchmarkBulk reports the CPU time of the whole process, both TCP ends included,
// for each frame of a TCP transfer. Cubic, because BBR without fq paces in bursts
// that say nothing.
func BenchmarkBulk(b *testing.B) {
	kinds := map[string]func(b *testing.B) (from, to *link.Stack, frames func() uint64){
		"veth": func(b *testing.B) (*link.Stack, *link.Stack, func() uint64) {
			from, to := stack(b), stack(b)
			must(b, link.Veth(link.End{Stack: from, Name: "w0", MTU: 1600}, link.End{Stack: to, Name: "w0", MTU: 1600}))
			address(b, from, to)
			return from, to, nil
		},
	}
	for name, o := range map[string]wire.Options{
		"0ms":           {},
		"1ms":           {AB: topology.Impairment{Delay: time.Millisecond}, BA: topology.Impairment{Delay: time.Millisecond}},
		"1ms, captured": {AB: topology.Impairment{Delay: time.Millisecond}, BA: topology.Impairment{Delay: time.Millisecond}, Ring: capture.NewRing("w", 0)},
		"5ms":           {AB: topology.Impairment{Delay: 5 * time.Millisecond}, BA: topology.Impairment{Delay: 5 * time.Millisecond}},
	} {
		kinds[name] = func(b *testing.B) (*link.Stack, *link.Stack, func() uint64) {
			from, to, w := cable(b, o)
			return from, to, func() uint64 { return w.Stats(wire.AToB).Frames + w.Stats(wire.BToA).Frames }
		}
	}
	for name, lay := range kinds {
		b.Run(name, func(b *testing.B) {
			from, to, frames := lay(b)
			const size = 16 << 20
			b.SetBytes(size)
			conn := sink(b, from, to)
			buf := make([]byte, size)
			cpu := cpuTime(b)
			for b.Loop() {
				_, err := conn.Write(buf)
				must(b, err)
			}
			spent := cpuTime(b) - cpu
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/size, "cpu-ns/B")
			if frames != nil {
				b.ReportMetric(float64(spent.Microseconds())/float64(frames()), "cpu-us/frame")
				b.ReportMetric(float64(size)*float64(b.N)/float64(frames()), "B/frame")
			}
		})
	}
}

// sink connects to a server in `to` that throws away what it gets.
func sink(b *testing.B, from, to *link.Stack) net.Conn {
	b.Helper()
	var l net.Listener
	must(b, to.NS().Do(func() (err error) { l, err = net.Listen("tcp4", "10.0.0.0:7"); return err }))
	b.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf := make([]byte, 1<<20)
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, buf)
	}()
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		_ = c.Control(func(fd uintptr) { err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "cubic") })
		return err
	}}
	var c net.Conn
	must(b, from.NS().Do(func() (err error) { c, err = d.DialContext(context.Background(), "tcp4", "10.0.0.0:7"); return err }))
	b.Cleanup(func() { c.Close() })
	return c
}

func cpuTime(b testing.TB) time.Duration {
	b.Helper()
	runtime.Gosched()
	var u unix.Rusage
	must(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
