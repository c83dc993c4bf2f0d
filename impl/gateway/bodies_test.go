package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whoever says that his body is longer than conditions may ask for is answered at once, and
// whoever sends more of it than there is room for when he does; the metrics and the access
// log say why.
func TestBodiesThatConditionsAskForAreBounded(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{EngineStd, EngineLoop} {
		r := startWith(t, engine, func(o *Options) { o.Limits.MatchBody, o.Limits.MatchBodies = 100, 50 })
		r.put("/apisix", "routes/1", `{"uri":"/*","vars":[["post_arg_v","==","2"]],"upstream":{"nodes":{"127.0.0.1:1":1}}}`)
		for length, want := range map[int]int{101: 413, 60: 503} {
			resp, err := http.Post("http://"+r.data+"/", "application/x-www-form-urlencoded", strings.NewReader(strings.Repeat("v", length)))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s: %d bytes: answered %d, want %d", engine, length, resp.StatusCode, want)
			}
		}
		f := r.scrape()
		if held, refused := value(f, "unilb_match_body_bytes"), value(f, "unilb_match_body_refused_total"); held != 0 || refused != 1 || f["unilb_match_body_bytes"] == nil {
			t.Errorf("%s: %v bytes held, %v refused, want 0 and 1", engine, held, refused)
		}
		r.end()
		for _, why := range []string{"a condition of a route needs the body, which has more than 100 bytes", " and its next are above 50"} {
			if !strings.Contains(r.access.String(), why) {
				t.Errorf("%s: the access log does not say %q: %s", engine, why, r.access)
			}
		}
	}
}

// Those who send bodies of which nobody knows the length by the byte keep nobody out.
func TestClientsThatTrickleBodiesForConditionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	const clients = 20
	for _, engine := range []string{EngineStd, EngineLoop} {
		r := startWith(t, engine, func(o *Options) { o.Limits.MatchBody, o.Limits.MatchBodies = 100, 200 })
		r.put("/apisix", "routes/1", `{"uri":"/*","vars":[["post_arg_v","==","2"]],"upstream":{"nodes":{"127.0.0.1:1":1}}}`)
		for range clients {
			c, err := net.Dial("tcp", r.data)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nv\r\n")
		}
		held := func() float64 { return value(r.scrape(), "unilb_match_body_bytes") }
		for deadline := time.Now().Add(10 * time.Second); held() != clients; {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v bytes are held, want a byte of each", engine, held())
			}
		}
		for _, v := range []string{"3", "2"} { // no route has the one, nobody listens for the other
			resp, err := http.Post("http://"+r.data+"/", "application/x-www-form-urlencoded", io.MultiReader(strings.NewReader("v="+v)))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if want := map[string]int{"3": 404, "2": 502}[v]; resp.StatusCode != want {
				t.Errorf("%s: v=%s beside them: answered %d, want %d", engine, v, resp.StatusCode, want)
			}
		}
		if n := held(); n != clients {
			t.Errorf("%s: %v bytes are held behind the others", engine, n)
		}
	}
}
