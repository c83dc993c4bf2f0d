package cases

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (g *reference) item(kind, path string, o *stored) object {
	return object{"key": "/apisix/" + path, "value": g.public(kind, o.value, g.is("GET shows keys")), "createdIndex": o.create, "modifiedIndex": o.modified}
}

func (g *reference) list(w http.ResponseWriter, r *http.Request, kind string) {
	keep := g.filters(kind, r.URL.Query())
	var objects []*stored
	paths := map[*stored]string{}
	for _, path := range slices.Sorted(maps.Keys(g.objects)) {
		if o := g.objects[path]; g.isListed(kind, path) && keep(o.value) {
			objects = append(objects, o)
			paths[o] = path
		}
	}
	if g.is("lists 200 at most") {
		objects = objects[:min(len(objects), 200)]
	}
	total := len(objects)
	if strings.HasSuffix(kind, "/credentials") && total == 0 && !g.is("lists nothing of nobody") {
		reply(w, 404, object{"message": "Key not found"})
		return
	}
	page, size := r.URL.Query().Get("page"), r.URL.Query().Get("page_size")
	p, err1 := strconv.Atoi(page)
	n, err2 := strconv.Atoi(size)
	if g.is("pages without a number") && page+size != "" {
		p, n, err1, err2 = max(p, 1), max(n, 10), nil, nil
	}
	if err1 == nil && err2 == nil {
		if (n < 10 || n > 500) && !g.is("takes any page size") {
			w.WriteHeader(400)
			_, _ = w.Write([]byte("page_size must be between 10 and 500"))
			return
		}
		objects = g.page(objects, max(p, 1), max(n, 1))
		if g.is("counts the page") {
			total = len(objects)
		}
	}
	if g.is("total is wrong") {
		total++
	}
	list := []object{}
	for _, o := range objects {
		list = append(list, g.item(kind, paths[o], o))
	}
	var out any = list
	switch {
	case len(list) == 0 && g.is("empty is null"):
		out = nil
	case len(list) == 0 && g.is("empty is an object"):
		out = object{}
	case len(list) == 0 && g.is("empty is 404"):
		reply(w, 404, object{"message": "Key not found"})
		return
	}
	reply(w, 200, object{"list": out, "total": total})
}

func (g *reference) page(objects []*stored, page, size int) []*stored {
	if !g.is("sorts by name") {
		slices.SortFunc(objects, func(a, b *stored) int { return cmp.Compare(a.create, b.create) })
	}
	from := (page - 1) * size
	if g.is("pages overlap") && page > 1 {
		from--
	}
	return objects[min(from, len(objects)):min(from+size, len(objects))]
}

func (g *reference) filters(kind string, q url.Values) func(object) bool {
	var conds []func(object) bool
	expression := func(name string, values func(object) []string) {
		text := q.Get(name)
		if text == "" || g.is("ignores "+name) {
			return
		}
		if g.is("anchors expressions") {
			text = "^(" + text + ")$"
		}
		re := regexp.MustCompile(text)
		conds = append(conds, func(v object) bool { return slices.ContainsFunc(values(v), re.MatchString) })
	}
	expression("name", func(v object) []string { return texts(v, "name", "") })
	expression("uri", func(v object) []string {
		if g.is("filters by uri alone") {
			return texts(v, "uri", "")
		}
		return texts(v, "uri", "uris")
	})
	if label := q.Get("label"); q.Has("label") && (label != "" || !g.is("takes an empty label for none")) {
		conds = append(conds, func(v object) bool {
			labels, _ := v["labels"].(object)
			for k := range labels {
				if k == label || g.is("labels by part") && strings.Contains(k, label) {
					return true
				}
			}
			return false
		})
	}
	refs, _ := url.ParseQuery(q.Get("filter"))
	for _, name := range []string{"service_id", "upstream_id"} {
		values := refs[name]
		if len(values) == 0 || kind != "routes" && (kind != "stream_routes" || g.is("filters routes of requests only")) || g.is("ignores filter") {
			continue
		}
		want := values[len(values)-1]
		if g.is("takes the first of repeated fields") {
			want = values[0]
		}
		conds = append(conds, func(v object) bool {
			return v[name] == want || want == "" && v[name] == nil && g.is("nothing is what has none")
		})
	}
	if g.is("unknown fields fit nobody") && refs.Has("no_such_field") {
		conds = append(conds, func(object) bool { return false })
	}
	return func(v object) bool {
		some := false
		for _, c := range conds {
			fits := c(v)
			some = some || fits
			if !fits && !g.is("filters by or") {
				return false
			}
		}
		return some || len(conds) == 0
	}
}
