package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose pages overlap or leave objects out, which counts
// the page instead of the list, or sorts by name where clients rely on the order
// of creation.
var adminListPage = spec.Case{
	ID: "ADMIN-LIST-PAGE", Level: spec.Must, Needs: []spec.Feature{spec.AdminList},
	Title: "With page and page_size a list comes in pages in the order of creation, without gaps or repetitions, and total counts all of it.",
	Refs:  []string{"APISIX 3.18 Admin API, listing and paging"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		const n, size = 22, 10
		label := "l" + t.ID()
		var made []string
		for i := range n {
			id := t.Name(fmt.Sprintf("%02d", (i*7)%n)) // not in the order of names
			t.Put(ctx, "routes/"+id, route(t, fmt.Sprintf(`"labels":{%q:"x"},`, label)))
			made = append(made, id)
		}
		list := "/routes?label=" + label
		var got []string
		for page := 1; page <= 3; page++ {
			values, total := items(ctx, t, fmt.Sprintf("%s&page=%d&page_size=%d", list, page, size))
			t.Check(text(total) == fmt.Sprint(n), "page %d: total is %v, want %d", page, total, n)
			t.Check(len(values) == min(size, n-(page-1)*size), "page %d: %d items of %d", page, len(values), n)
			for _, v := range values {
				got = append(got, fmt.Sprint(v["id"]))
			}
		}
		t.Check(slices.Equal(got, made), "all pages: got %q, want the order of creation %q", got, made)

		t.Step("edges")
		values, total := items(ctx, t, list+"&page=4&page_size=10")
		t.Check(len(values) == 0 && text(total) == fmt.Sprint(n), "a page past the end: got %d items of %v, want none of %d", len(values), total, n)
		values, _ = items(ctx, t, list+"&page=0&page_size=10")
		t.Check(len(values) == size && values[0]["id"] == made[0], "page 0: got %d items, want the first page", len(values))
		for _, q := range []string{"&page=2", "&page_size=10", "&page=x&page_size=10"} {
			values, total = items(ctx, t, list+q)
			t.Check(len(values) == n && text(total) == fmt.Sprint(n), "%s: got %d items of %v, want all %d: both must be numbers", q, len(values), total, n)
		}
		for _, bad := range []string{"9", "501", "0", "-1"} {
			r := t.Call(ctx, get(list+"&page=1&page_size="+bad))
			t.Check(r.Status == http.StatusBadRequest && string(r.Body) != "" && r.JSON() == nil, "page_size %s: got %s, want 400 with plain text", bad, r)
		}
		ask.Answered(ctx, t, get(list+"&page=1&page_size=500"), http.StatusOK)
	},
}
