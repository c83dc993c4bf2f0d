package gateway

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs/linelog"
	"github.com/unilb/unilb/impl/proxy"
)

// accessLine is a line as the standard library writes it.
type accessLine struct {
	Time       string  `json:"time"`
	Remote     string  `json:"remote"`
	Local      string  `json:"local"`
	Method     string  `json:"method"`
	Host       string  `json:"host"`
	URI        string  `json:"uri"`
	Proto      string  `json:"proto"`
	Status     int     `json:"status"`
	Received   int64   `json:"received"`
	Sent       int64   `json:"sent"`
	DurationMS float64 `json:"duration_ms"`
	Route      string  `json:"route,omitempty"`
	Upstream   string  `json:"upstream,omitempty"`
	Target     string  `json:"target,omitempty"`
	Tries      []int   `json:"tries,omitempty"`
	Failure    string  `json:"failure,omitempty"`
	Cut        bool    `json:"cut,omitempty"`
	CutReason  string  `json:"cut_reason,omitempty"`
}

func twin(r *exchange.Request, e *proxy.Entry) string {
	why := ""
	if e.Cut {
		why = e.CutReason.String()
	}
	b, err := json.Marshal(accessLine{
		Time: e.Ended.UTC().Format(time.RFC3339Nano), Remote: r.Remote.String(), Local: r.Local.String(),
		Method: r.Method, Host: r.Authority, URI: r.Target, Proto: r.Proto.String(), Status: e.Status,
		Received: e.Received, Sent: e.Sent, DurationMS: float64(e.Duration.Microseconds()) / 1000,
		Route: e.Route, Upstream: e.Upstream, Target: e.Target, Tries: e.Tries, Failure: e.Failure, Cut: e.Cut, CutReason: why,
	})
	if err != nil {
		panic(err)
	}
	return string(b) + "\n"
}

var peer, here = netip.MustParseAddrPort("198.51.100.7:40000"), netip.MustParseAddrPort("[2001:db8::10]:443")

func FuzzLineIsWhatTheLibraryWrites(f *testing.F) {
	f.Add("GET", "shop.example:80", "/a?b=c", "r1", "connect_failed", int64(1_234_567), int64(1_700_000_000_000_000_000), 200)
	f.Add("POST", "\xff\u2028\u2029<&>", "/\"\\\x00\x1f\x7f\b\f\n\r\t\u00e9\U0001F600\xe2\x80", "", "", int64(0), int64(1_700_000_000_123_000_000), 502)
	f.Add("", "", "", "", "", int64(1000), int64(999_999_999), 0)
	f.Add("", "", "", "", "", int64(86_400_000_100_000), int64(-1), 0)
	f.Fuzz(func(t *testing.T, method, host, uri, route, failure string, took, at int64, status int) {
		const years = int64(10 * 365 * 24 * time.Hour) // no request takes longer
		e := proxy.Entry{Record: exchange.Record{Status: status, Received: at, Sent: took, Duration: time.Duration(max(0, took) % years), Cut: status == 0, CutReason: exchange.CutReason(max(0, took) % int64(exchange.CutReasons))},
			Route: route, Upstream: host, Target: uri, Failure: failure}
		for s := status; s > 0; s /= 10 {
			e.Tries = append(e.Tries, s)
		}
		r := &exchange.Request{Method: method, Authority: host, Target: uri, Proto: exchange.HTTP11, Remote: peer, Local: here}
		e.Ended = time.Unix(0, at)
		var s stamp
		for range 2 { // with the second still to be written, and kept
			if got, want := string(appendLine(nil, r, &e, &s)), twin(r, &e); got != want {
				t.Fatalf("got  %swant %s", got, want)
			}
		}
	})
}

// ask is a request as clients send them.
func ask() (*exchange.Exchange, proxy.Entry) {
	x := &exchange.Exchange{}
	x.Reset(0, nil)
	x.Request = exchange.Request{Method: "GET", Authority: "shop.example", Target: "/catalogue/items?id=4711&lang=en", Proto: exchange.HTTP11, Remote: peer,
		Local: netip.MustParseAddrPort("203.0.113.10:80")}
	return x, proxy.Entry{Ended: time.Now(), Record: exchange.Record{Status: 200, Sent: 128, Duration: 1234 * time.Microsecond},
		Route: "shop.web.all", Upstream: "upstreams/web", Target: "100.64.0.1:8080", Tries: []int{200}}
}

func accessFile(t testing.TB) *accessLog {
	path := filepath.Join(t.TempDir(), "access")
	if _, ok := t.(*testing.B); ok {
		path = os.DevNull // the loop's part is measured, not the disk
	}
	lines, err := linelog.New(linelog.Options{Open: linelog.File(path)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lines.Close)
	return newAccessLog(lines, 1)
}

func TestLinesAllocateNothing(t *testing.T) {
	a := accessFile(t)
	x, e := ask()
	add := func() { a.add(x, e) }
	for range 2000 { // both buffers come to be
		add()
	}
	if n := testing.AllocsPerRun(1000, add); n >= 0.1 { // the text of a second is made once in one
		t.Errorf("a line allocates %v times, want none", n)
	}
}

func BenchmarkLine(b *testing.B) {
	a := accessFile(b)
	x, e := ask()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%1000 == 0 { // no faster than a loop has requests
			b.StopTimer()
			for c := a.lines.Counts(); c.Written+c.Dropped < int64(n)-200; c = a.lines.Counts() {
				runtime.Gosched()
			}
			b.StartTimer()
		}
		a.add(x, e)
	}
	b.StopTimer()
	b.ReportMetric(float64(a.lines.Counts().Dropped), "dropped")
}

func BenchmarkLineOfTheLibrary(b *testing.B) {
	x, e := ask()
	for b.Loop() {
		if !strings.HasPrefix(twin(&x.Request, &e), "{") {
			b.Fatal("no line")
		}
	}
}

func TestAccessLogIsOpenedAnewWhenSomebodyAsks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access")
	reopen := make(chan os.Signal, 1)
	r := startWith(t, EngineLoop, func(o *Options) { o.AccessLog, o.Reopen = linelog.File(path), reopen })
	if status, _ := r.get("http://"+r.data+"/before", ""); status != 404 {
		t.Fatalf("answer %d, want 404", status)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	reopen <- syscall.SIGUSR1
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, err := os.Stat(path); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no new file within 10 s")
		}
	}
	if status, _ := r.get("http://"+r.data+"/after", ""); status != 404 {
		t.Fatalf("answer %d, want 404", status)
	}
	r.stop()
	err := <-r.ended
	r.ended <- err
	for file, uri := range map[string]string{path + ".1": "/before", path: "/after"} {
		b, err := os.ReadFile(file)
		if err != nil || strings.Count(string(b), "\n") != 1 || !strings.Contains(string(b), `"uri":"`+uri+`"`) {
			t.Errorf("%s holds %q, %v, want one line about %s", file, b, err, uri)
		}
	}
}
