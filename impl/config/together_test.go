package config

import (
	"slices"
	"testing"
)

// Texts of a search are no parts of the object: those of a route and of a service stay
// what they are when its bytes do not.
func TestHostsAndPathsAreCopies(t *testing.T) {
	route := put(Routes, "1", `{"hosts":["a.example","*.b.example"],"methods":["GET"],"uris":["/x/*","/y"],"upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	service := put(Services, "s", `{"hosts":["s.example"],"upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	s := must(t, &Snapshot{}, route, service)
	for _, c := range []Change{route, service} {
		for i := range c.Value {
			c.Value[i] = '?'
		}
	}
	for _, tc := range []struct{ got, want []string }{
		{s.Route("1").HostNames(), []string{"a.example", "*.b.example"}},
		{s.Route("1").Paths(), []string{"/x/*", "/y"}},
		{s.service("s").hosts(), []string{"s.example"}},
	} {
		if !slices.Equal(tc.got, tc.want) {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestTextsThatLieTogetherAreOne(t *testing.T) {
	hosts, paths := []string{"a.example", "", "b.example"}, []string{"/x"}
	if n := testing.AllocsPerRun(10, func() { together(hosts, nil, paths) }); n != 1 {
		t.Errorf("they are %v", n)
	}
	if want := []string{"a.example", "", "b.example"}; !slices.Equal(hosts, want) || paths[0] != "/x" {
		t.Errorf("they have become %q and %q", hosts, paths)
	}
}
