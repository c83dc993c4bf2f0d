package admin

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that anchors the expressions, looks at labels' values,
// joins filters with "or", or ignores one that it does not know, so that a script
// edits objects that it never meant.
var adminListFilter = spec.Case{
	ID: "ADMIN-LIST-FILTER", Level: spec.Must, Needs: []spec.Feature{spec.AdminList},
	Title: "A list can be filtered by name (an expression), label (a key) and uri (an expression), all of which must fit, and total counts what is left.",
	Refs:  []string{"APISIX 3.18 Admin API, listing and filters"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		mine := "l" + t.ID()
		for id, fields := range map[string]string{
			"a": `"name":"shop-web","uri":"/shop/cart"`,
			"b": `"name":"shop-api","uris":["/health","/shop/api"]`,
			"c": `"name":"blog","uri":"/blog/shop"`,
			"d": `"uri":"/none"`,
		} {
			labels := fmt.Sprintf(`{%q:"x"}`, mine)
			if id == "a" || id == "c" {
				labels = fmt.Sprintf(`{%q:"x","%s-more":"y"}`, mine, mine)
			}
			t.Put(ctx, "routes/"+t.Name(id), fmt.Sprintf(`{"host":%q,%s,"labels":%s,"upstream":{%s}}`, t.Host(), fields, labels, nodes))
		}
		for _, c := range []struct{ query, want string }{
			{"", "abcd"},
			{"name=shop", "ab"}, {"name=" + url.QueryEscape("^blog$"), "c"}, {"name=" + url.QueryEscape("web|log"), "ac"}, {"name=Shop", ""},
			{"uri=shop", "abc"}, {"uri=" + url.QueryEscape("^/shop"), "ab"}, {"uri=" + url.QueryEscape("^/shop/api$"), "b"},
			{"name=shop&uri=cart", "a"}, {"name=blog&uri=cart", ""},
		} {
			checkListed(ctx, t, "label="+mine+"&"+c.query, c.want)
		}
		checkListed(ctx, t, "label="+mine+"-more", "ac")
		checkListed(ctx, t, "label="+mine+"-more&name=shop", "a")
		checkListed(ctx, t, "label="+mine+"-mor", "")
		checkListed(ctx, t, "label=", "") // equal, not: any
	},
}

// checkListed lists routes and compares the last letters of their ids.
func checkListed(ctx context.Context, t *spec.T, query, want string) {
	values, total := items(ctx, t, "/routes?"+query)
	var got []string
	for _, v := range values {
		got = append(got, strings.TrimPrefix(fmt.Sprint(v["id"]), t.Name("")))
	}
	slices.Sort(got)
	t.Check(strings.Join(got, "") == want, "?%s: got %q, want %q", query, strings.Join(got, ""), want)
	t.Check(text(total) == fmt.Sprint(len(want)), "?%s: total is %v, want %d", query, total, len(want))
}
