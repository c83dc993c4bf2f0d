package h2

import (
	"bytes"
	"strconv"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/exchange"
)

// BenchmarkRequest is a request and its answer of 128 bytes, from bytes to bytes.
func BenchmarkRequest(b *testing.B) {
	for _, name := range []string{"small", "browser", "literals", "body", "trailers"} {
		b.Run(name, func(b *testing.B) {
			p := paths()[name]
			o := newStill(b)
			o.feed(b, p.first)
			once := o.once(b, p.again)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}

// BenchmarkBatch is the same for eight streams that come with one read.
func BenchmarkBatch(b *testing.B) {
	p := paths()["small"]
	o := newStill(b)
	o.feed(b, p.first)
	all := bytes.Repeat(p.again, 8)
	for i, at := range framesOf(all) {
		h := readHeader(all[at:])
		appendHeader(all[:at], h.length, h.kind, h.flags, uint32(2*i+1))
	}
	id := uint32(1001)
	b.ReportAllocs()
	for b.Loop() {
		renumber(all, id)
		id += 16
		o.c.send = 1 << 20
		o.feed(b, all)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(8*b.N), "ns/request")
}

// BenchmarkDecode compares our reading of a header block with the library's own.
func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"small", "browser", "literals"} {
		p := paths()[name]
		b.Run(name, func(b *testing.B) {
			srv := New(Options{})
			dec := hpack.NewDecoder(ourTableSize, srv.emit)
			var x exchange.Exchange
			k := &srv.block
			k.begin(nil, &x.Arena, 64<<10)
			k.decode(dec, p.first[headerSize:])
			b.ReportAllocs()
			for b.Loop() {
				x.Reset(0, nil)
				k.begin(x.Request.Fields[:0], &x.Arena, 64<<10)
				if why := k.decode(dec, p.again[headerSize:]); why != NoReason {
					b.Fatal(why)
				}
				if _, why := k.head(&x.Request, true); why != NoReason {
					b.Fatal(why)
				}
			}
		})
		b.Run(name+" by the library", func(b *testing.B) {
			n := 0
			dec := hpack.NewDecoder(ourTableSize, func(f hpack.HeaderField) { n += len(f.Value) })
			_, _ = dec.Write(p.first[headerSize:])
			_ = dec.Close()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dec.Write(p.again[headerSize:]); err != nil {
					b.Fatal(err)
				}
				_ = dec.Close()
			}
		})
	}
}

// BenchmarkAnswer compares our writing of the head of an answer with the library's.
func BenchmarkAnswer(b *testing.B) {
	o := newStill(b)
	b.Run("ours", func(b *testing.B) {
		var e encoder
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			dst = e.status(dst[:0], 200)
			dst, _ = e.fields(dst, o.fields, o.edits, false)
			dst = e.length(dst, 128)
			dst = e.field(dst, "date", "Tue, 01 Jan 2030 00:00:00 GMT")
		}
		b.ReportMetric(float64(len(dst)), "bytes")
	})
	b.Run("the library's", func(b *testing.B) {
		var buf bytes.Buffer
		e := hpack.NewEncoder(&buf)
		write := func(name, value string) { must(e.WriteField(hpack.HeaderField{Name: name, Value: value})) }
		var left exchange.Fields
		b.ReportAllocs()
		for b.Loop() {
			buf.Reset()
			write(":status", "200")
			left = exchange.Apply(left[:0], o.fields, o.edits)
			for _, f := range left {
				var low [32]byte
				for i := range len(f.Name) {
					low[i] = lower(f.Name[i])
				}
				write(string(low[:len(f.Name)]), f.Value)
			}
			write("content-length", strconv.Itoa(128))
			write("date", "Tue, 01 Jan 2030 00:00:00 GMT")
		}
		b.ReportMetric(float64(buf.Len()), "bytes")
	})
}

// BenchmarkData is an answer of 64 KiB in four frames.
func BenchmarkData(b *testing.B) {
	o := newStill(b)
	o.feed(b, newWire().window(0, 1<<30).headers(1, false, post...).window(1, 1<<30).take())
	s := o.c.streams[0]
	s.Answer(200, nil, nil, Answer{Length: NoLength})
	data := make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		o.out = o.out[:0]
		o.c.send, s.send = maxWindow, maxWindow
		if n := s.Data(data, false); n != len(data) {
			b.Fatal(n)
		}
	}
}
