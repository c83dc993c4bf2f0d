package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
)

// named is a store of routes with one name; it calls read at the first of each step.
type named struct {
	Store
	n    int
	name string
	read func()
}

func (s *named) Page(context.Context, string, string, int64, int) (kvs []store.KV, next string, at int64, err error) {
	if s.read != nil {
		s.read()
	}
	for i := range s.n {
		kvs = append(kvs, store.KV{Key: fmt.Sprintf("/apisix/routes/%d", i), Value: fmt.Appendf(nil, `{"name":%q,"uri":"/"}`, s.name), Create: 1, Mod: 1})
	}
	return kvs, "", 7, nil
}

func TestSearchThatTakesTooLongIsRefusedAndNotTakenForNoMatch(t *testing.T) {
	t.Parallel()
	h, err := New(Options{Store: &named{n: 40, name: strings.Repeat("a", 60)}})
	if err != nil {
		t.Fatal(err)
	}
	h.searchTime = 40 * time.Millisecond
	for pattern, want := range map[string]string{
		"(?=a)(a+)+b":             `{"error_msg":"invalid argument name: takes too long to search for"}`,
		strings.Repeat("a", 1025): `{"error_msg":"invalid argument name: longer than 1024 bytes"}`,
	} {
		for _, paged := range []string{"", "&page=1&page_size=10"} {
			began := time.Now()
			code, text := call(h, "GET /routes?name="+url.QueryEscape(pattern)+paged, "")
			if code != 400 || !strings.HasPrefix(text, want) {
				t.Errorf("%.20s%s: got %d %.200s, want 400 %s", pattern, paged, code, text, want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%.20s%s: took %s", pattern, paged, took)
			}
		}
	}
	code, text := call(h, "GET /routes?name="+url.QueryEscape("^(?=a)a+$"), "")
	if code != 200 || !strings.Contains(text, `"total":40`) {
		t.Errorf("got %d %.200s, want all 40", code, text)
	}
}

func TestListEndsWhenItsClientIsGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h, err := New(Options{Store: &named{n: 10, name: "a", read: cancel}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/apisix/admin/routes?name=a", nil).WithContext(ctx)
	l := &listing{h: h, at: address{res: resources["routes"]}}
	if l.asked, err = h.filters(l.at.res, arguments(r)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.search(ctx); !errors.Is(err, context.Canceled) || len(l.found) > 0 {
		t.Errorf("got %v with %d objects, want that the first was not looked at", err, len(l.found))
	}
}
