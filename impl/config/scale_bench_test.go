package config

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/vars"
	"github.com/unilb/unilb/tools/bench/corpus"
)

// atScale is the number of routes at which a change and a match are measured.
const atScale = 100_000

// large is a snapshot of that many routes, made once for all benchmarks.
var large = sync.OnceValue(func() *Snapshot {
	s, d := (&Snapshot{}).Apply(everything())
	for key, err := range d.Refused {
		panic(key + " is refused: " + err.Error())
	}
	return s
})

func everything() []Change {
	c := corpus.Corpus{Seed: 1}
	var all []Change
	for i := range corpus.Upstreams {
		id, u := c.Upstream(i)
		all = append(all, put(Upstreams, id, string(corpus.Stored(id, u))))
	}
	for i := range atScale {
		all = append(all, changeOf(c.Route(i), 0))
	}
	return all
}

func changeOf(r corpus.Route, n int) Change {
	o := r.Object
	if n > 0 {
		o = r.Changed(n)
	}
	return Change{Kind: Routes, ID: r.ID, Key: "/apisix/routes/" + r.ID, Value: corpus.Stored(r.ID, o), Create: int64(1000 + n)}
}

// One route of 100 000 changes, chosen at random so that nothing of it is in a cache:
// from its bytes to the snapshot in force.
func BenchmarkChangeOfOneRoute(b *testing.B) {
	var inForce atomic.Pointer[Snapshot]
	inForce.Store(large())
	r := rand.New(rand.NewPCG(2, uint64(b.N)))
	changes := make([]Change, b.N)
	for i := range changes {
		changes[i] = changeOf(corpus.Corpus{Seed: 1}.Route(r.IntN(atScale)), 1+i)
	}
	took := make([]time.Duration, b.N)
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range changes {
		start := time.Now()
		next, d := inForce.Load().Apply(changes[i : i+1])
		inForce.Store(next)
		took[i] = time.Since(start)
		if len(d.Accepted) != 1 {
			b.Fatalf("change %d: refused %v", i, d.Refused)
		}
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "median-ns")
	b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
	b.ReportMetric(float64(inForce.Load().Counts().Routes), "routes")
}

// asked are requests for routes chosen at random, and the ids of these. Made once.
var asked = sync.OnceValues(func() (requests []exchange.Request, ids []string) {
	const many = 1 << 16
	r := rand.New(rand.NewPCG(3, 1))
	for range many {
		one := corpus.Corpus{Seed: 1}.Route(r.IntN(atScale))
		requests, ids = append(requests, requestFor(one)), append(ids, one.ID)
	}
	return requests, ids
})

// queryFor asks for the request of an exchange.
func queryFor(x *exchange.Exchange, v *vars.Request) route.Query {
	r := &x.Request
	*v = vars.Of(x)
	return route.Query{Local: r.Local, Remote: r.Remote.Addr(), Method: r.Method, Host: r.Host, Path: r.Path, Vars: v}
}

// A request for one of 100 000 routes, chosen at random; four of ten have conditions
// on a header, a cookie or an argument, two thirds on the method.
func BenchmarkMatchAmongRoutes(b *testing.B) {
	s := large()
	requests, ids := asked()
	x, v, wrong := &exchange.Exchange{}, &vars.Request{}, 0
	for i := range requests {
		x.Request = requests[i]
		q := queryFor(x, v)
		if got := s.Match(&q); got == nil || got.ID != ids[i] {
			wrong++
		}
	}
	if wrong > len(requests)/1000 { // two hosts may have got one name
		b.Fatalf("%d of %d requests found another route", wrong, len(requests))
	}
	took, bytes := make([]time.Duration, b.N), 0
	var q route.Query // as in the pipeline: it would not stay on the stack
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		// As after parsing, what was asked is in the cache, and the route is not.
		one := &requests[i%len(requests)]
		bytes += read(one)
		x.Request = *one
		q = queryFor(x, v)
		start := time.Now()
		r := s.Match(&q)
		took[i] = time.Since(start)
		if r == nil {
			b.Fatal("no route")
		}
	}
	if bytes == 0 {
		b.Fatal("nothing was read")
	}
	sum := time.Duration(0)
	for _, d := range took {
		sum += d
	}
	slices.Sort(took)
	b.ReportMetric(float64(sum)/float64(b.N), "match-ns") // with one reading of the clock
	b.ReportMetric(float64(took[len(took)/2]), "median-ns")
}

// read reads all that a match may look at.
func read(r *exchange.Request) (sum int) {
	for _, s := range []string{r.Method, r.Host, r.Path, r.Query} {
		sum += sumOf(s)
	}
	for _, f := range r.Fields {
		sum += sumOf(f.Name) + sumOf(f.Value)
	}
	return sum
}

func sumOf(s string) (sum int) {
	for i := range len(s) {
		sum += int(s[i])
	}
	return sum
}

func requestFor(r corpus.Route) exchange.Request {
	q := exchange.Request{
		Method: r.Method, Scheme: "http", Proto: exchange.HTTP11, Authority: r.Host, Host: r.Host, Target: r.Path, Path: r.Path,
		Remote: netip.MustParseAddrPort("198.51.100.7:40000"), Local: netip.MustParseAddrPort("203.0.113.10:80"),
		Fields: exchange.Fields{{Name: "User-Agent", Value: "bench/1"}, {Name: "Accept", Value: "*/*"}, {Name: "Accept-Encoding", Value: "gzip"}},
	}
	for name, value := range r.Vars {
		if h, ok := strings.CutPrefix(name, "http_"); ok {
			q.Fields = append(q.Fields, exchange.Field{Name: strings.ReplaceAll(h, "_", "-"), Value: value})
		}
		if a, ok := strings.CutPrefix(name, "arg_"); ok {
			q.Query = a + "=" + value
		}
		if c, ok := strings.CutPrefix(name, "cookie_"); ok {
			q.Fields = append(q.Fields, exchange.Field{Name: "Cookie", Value: c + "=" + value})
		}
	}
	return q
}

// What a route costs in memory: all of it beside its bytes in etcd, which nobody keeps,
// and what the table alone holds, that is what would be free without it.
func BenchmarkMemoryOfRoutes(b *testing.B) {
	stored := 0
	for range b.N {
		all := everything()
		stored = 0
		for _, c := range all {
			stored += len(c.Value)
		}
		before := liveHeap()
		s, d := (&Snapshot{}).Apply(all)
		if len(d.Refused) > 0 {
			b.Fatalf("%d objects refused", len(d.Refused))
		}
		d = Delta{}
		whole := liveHeap()
		s.table = route.Table[*Route]{}
		without := liveHeap()
		runtime.KeepAlive(all)
		runtime.KeepAlive(s)
		b.ReportMetric(float64(whole-before)/atScale, "B/route")
		b.ReportMetric(float64(whole-without)/atScale, "index-B/route")
		b.ReportMetric(float64(stored)/atScale, "stored-B/route")
	}
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one's finalizers let go
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
