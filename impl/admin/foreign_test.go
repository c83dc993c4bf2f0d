package admin_test

import (
	"testing"

	"github.com/unilb/unilb/impl/store"
)

// What somebody wrote to etcd past the Admin API, as docs/admin.md tells it.
func TestValueThatIsNoObjectIsHiddenUntilItIsDeletedOrReplaced(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	put := func(key, value string) {
		if _, err := a.st.Commit(t.Context(), nil, store.Op{Key: key, Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, junk := range []string{"junk", "[1]", ""} {
		put("/apisix/routes/x", junk)
		want(t, any(a.must(200, "GET /routes", "").body), `{"list":[],"total":0}`)
		a.must(404, "GET /routes/x", "")
		a.must(404, "PATCH /routes/x", `{"desc":"a"}`)
		a.must(200, "DELETE /routes/x", "")
		a.must(404, "DELETE /routes/x", "")
	}
	put("/apisix/routes/x", "junk")
	a.must(200, "PUT /routes/x", `{"uri":"/","plugins":{}}`)
	// Keys of no kind are not ours.
	put("/apisix/rutes/x", `{"uri":"/"}`)
	put("/apisix/routes/a/b", `{"uri":"/"}`)
	want(t, a.must(200, "GET /routes", "").body["total"], "1")
	a.must(404, "GET /routes/a/b", "")
	a.must(404, "DELETE /routes/a/b", "")
}
