package config

import (
	"fmt"
	"runtime"
	"testing"
	"weak"
)

// What is compiled shares the bytes of its objects, so that one string that is left behind
// keeps a whole object in memory.
func TestAnObjectThatWasReplacedIsNotKeptInMemory(t *testing.T) {
	s := &Snapshot{}
	var old []weak.Pointer[byte]
	apply := func(version, n int) {
		id := fmt.Sprint(n)
		c := put(Routes, id, fmt.Sprintf(`{"uris":["/a/%d/*","/a/%d","/b/*"],"hosts":["h.example","*.w.example"],"name":"version %d","labels":{"a":"b"},`+
			`"vars":[["http_x","==","%d"],["http_y","~~","^y$"]],"plugins":{"proxy-rewrite":{"uri":"/x"}},"upstream":{"nodes":{"10.0.0.%d:80":1,"b:80":1}}}`, n, n, version, n, n))
		if version == 1 {
			old = append(old, weak.Make(&c.Value[0]))
		}
		next, d := s.Apply([]Change{c})
		if len(d.Refused) > 0 {
			t.Fatal(d.Refused)
		}
		s = next
	}
	const routes = 20
	for version := range 3 {
		for n := range routes {
			apply(version+1, n)
		}
	}
	kept := func() (n int) {
		for _, p := range old {
			if p.Value() != nil {
				n++
			}
		}
		return n
	}
	for i := 0; i < 20 && kept() > 0; i++ {
		runtime.GC()
	}
	if n := kept(); n > 0 {
		t.Errorf("%d of %d objects that were replaced are still in memory", n, routes)
	}
	runtime.KeepAlive(s)
}

// Its routes are in the table by the hosts of a version that may be long gone.
func TestAServiceThatWasReplacedIsNotKeptInMemory(t *testing.T) {
	service := func(version int) Change {
		return put(Services, "s", fmt.Sprintf(`{"hosts":["h.example"],"name":"version %d","upstream":{"nodes":{"10.0.0.1:80":1}}}`, version))
	}
	first := service(1)
	old := weak.Make(&first.Value[0])
	s := must(t, &Snapshot{}, first, put(Routes, "1", `{"uri":"/","service_id":"s"}`))
	first = Change{}
	s = must(t, s, service(2))
	for i := 0; i < 20 && old.Value() != nil; i++ {
		runtime.GC()
	}
	if old.Value() != nil {
		t.Error("a service that was replaced is still in memory")
	}
	runtime.KeepAlive(s)
}
