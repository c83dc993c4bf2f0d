package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

const echoPort = 7

// roundTrips is how many a cable makes in one run; a second over a slow one.
func roundTrips(oneWay time.Duration) int {
	const most, least = 500, 40
	if oneWay == 0 {
		return most
	}
	return min(most, max(least, int(time.Second/(2*oneWay))))
}

// measureRoundTrips sends datagrams to and fro, one at a time, over each cable in
// turn. What the wire adds is the time beyond twice its delay.
func measureRoundTrips(ctx context.Context, _ Settings) (_ []Sample, err error) {
	cs, err := cables(0, time.Millisecond, 5*time.Millisecond, 25*time.Millisecond)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeAll(cs)) }()
	var out []Sample
	for _, c := range cs {
		trips, err := c.trips(ctx, roundTrips(c.over))
		if err != nil {
			return nil, fmt.Errorf("round trips over %s: %w", c.name, err)
		}
		out = append(out, tripFigures(c.name, c.over, trips)...)
	}
	return out, nil
}

// tripFigures tells of round trips in milliseconds.
func tripFigures(name string, oneWay time.Duration, trips []float64) []Sample {
	p50, p99 := quantile(trips, 0.5), quantile(trips, 0.99)
	return []Sample{
		{name + "-p50", "ms", p50},
		{name + "-p99", "ms", p99},
		{name + "-p50-over", "ms", p50 - 2*float64(oneWay)/1e6},
	}
}

// trips makes n round trips and returns their milliseconds. The first, which waits
// for ARP, does not count.
func (c *cable) trips(ctx context.Context, n int) ([]float64, error) {
	server, err := c.b.listenUDP(echoPort)
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.Close() }()
	go echoDatagrams(server)
	conn, err := c.a.Dial(ctx, "udp4", netip.AddrPortFrom(c.b.at.Addr(), echoPort))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	const within = 5 * time.Second // of one trip: nothing is lost here
	out := make([]float64, 0, n)
	buf := make([]byte, 64)
	for i := range n + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		start := time.Now()
		if err := conn.SetDeadline(start.Add(within)); err != nil {
			return nil, err
		}
		if _, err := conn.Write(buf); err != nil {
			return nil, err
		}
		if _, err := conn.Read(buf); err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, float64(time.Since(start))/1e6)
		}
	}
	return out, nil
}

func echoDatagrams(c *net.UDPConn) {
	buf := make([]byte, 2048)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return // closed
		}
		_, _ = c.WriteToUDPAddrPort(buf[:n], from) // who asked sees that no answer came
	}
}

// How long a transfer goes before it is measured, and then.
const (
	bulkWarmUp = 300 * time.Millisecond
	bulkFor    = time.Second
)

// measureBulk sends as fast as TCP can over each cable in turn. The CPU time is this
// process's: both ends, the wire between them, and the kernel on their behalf.
func measureBulk(ctx context.Context, _ Settings) (_ []Sample, err error) {
	cs, err := cables(0, time.Millisecond, 5*time.Millisecond)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeAll(cs)) }()
	var out []Sample
	var beside float64 // the CPU time of a byte over the kernel's own link
	for _, c := range cs {
		rate, perByte, err := c.bulk(ctx)
		if err != nil {
			return nil, fmt.Errorf("bulk over %s: %w", c.name, err)
		}
		out = append(out, Sample{c.name + "-rate", "GB/s", rate / 1e9}, Sample{c.name + "-cpu", "ns/B", perByte})
		if c.wire == nil {
			beside = perByte
			continue
		}
		times, err := ratio(perByte, beside)
		if err != nil {
			return nil, err
		}
		out = append(out, Sample{c.name + "-cpu-times", "veth = 1", times})
	}
	return out, nil
}

// bulk returns bytes a second that arrived, and nanoseconds of CPU time for each.
func (c *cable) bulk(ctx context.Context) (rate, perByte float64, err error) {
	l, err := c.b.listen(echoPort)
	if err != nil {
		return 0, 0, err
	}
	defer l.Close()
	conn, err := c.a.dialCubic(ctx, netip.AddrPortFrom(c.b.at.Addr(), echoPort))
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	far, err := l.Accept()
	if err != nil {
		return 0, 0, err
	}
	defer far.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, 0, err
	}
	go func() { _, _ = io.Copy(conn, zeros{}) }() // it ends with the connection
	buf := make([]byte, 1<<20)
	if _, err := receive(far, buf, bulkWarmUp); err != nil {
		return 0, 0, err
	}
	before, err := ownCPU()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	n, err := receive(far, buf, bulkFor)
	took := time.Since(start)
	used, errCPU := ownCPU()
	if err := errors.Join(err, errCPU); err != nil {
		return 0, 0, err
	}
	perByte, err = ratio(float64(used-before), float64(n))
	return float64(n) / took.Seconds(), perByte, err
}

// receive reads for some time and returns how many bytes there were.
func receive(from net.Conn, buf []byte, d time.Duration) (n int, err error) {
	until := time.Now().Add(d)
	if err := from.SetReadDeadline(until.Add(30 * time.Second)); err != nil {
		return 0, err
	}
	for time.Now().Before(until) {
		k, err := from.Read(buf)
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// zeros is data without end, written in large pieces.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// WriteTo implements io.WriterTo.
func (zeros) WriteTo(w io.Writer) (n int64, err error) {
	buf := make([]byte, 1<<20)
	for {
		k, err := w.Write(buf)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
}
