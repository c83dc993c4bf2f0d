package config

import (
	"slices"
	"testing"
)

func TestAnObjectIsStoredAsTheVersionInForceWasWritten(t *testing.T) {
	at := func(c Change, mod int64) Change { c.Mod = mod; return c }
	const first, second = `{"uri":"/a","desc":"1","upstream":` + up + `}`, `{"uri":"/a","desc":"2","upstream":` + up + `}`
	s := must(t, &Snapshot{}, at(put(Routes, "b", first), 5), at(put(Routes, "a", first), 6))
	s = must(t, s, at(put(Routes, "b", second), 7))
	next, d := s.Apply([]Change{at(put(Routes, "b", `{"uri":7}`), 8)})
	if len(d.Refused) != 1 {
		t.Fatalf("refused %v, want one", d.Refused)
	}
	got, ok := next.Stored(Routes, "b")
	if !ok || string(got.Value) != second || got.Mod != 7 || got.Create != 1 || got.Updates != 1 {
		t.Errorf("got %+v (%s), want revision 7, updated once", got, got.Value)
	}
	if ids := next.IDs(Routes); !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("ids %v, want a and b", ids)
	}
	next = must(t, next, del(Routes, "b"))
	if _, ok := next.Stored(Routes, "b"); ok {
		t.Error("a deleted route is stored still")
	}
	if got, _ := s.Stored(Routes, "b"); string(got.Value) != second {
		t.Error("the old snapshot has changed")
	}
}

func TestPluginMetadataIsCheckedByItsPlugin(t *testing.T) {
	s := must(t, &Snapshot{}, put(PluginMetadata, "http-logger", `{"log_format":{"a":"$host"},"id":"http-logger"}`),
		put(PluginMetadata, "nobody-knows", `{"any":"thing"}`))
	next, d := s.Apply([]Change{put(PluginMetadata, "http-logger", `{"log_format":7}`)})
	if len(d.Refused) != 1 {
		t.Errorf("refused %v, want the log format", d.Refused)
	}
	if got, _ := next.Stored(PluginMetadata, "http-logger"); string(got.Value) != `{"log_format":{"a":"$host"},"id":"http-logger"}` {
		t.Errorf("got %s, want what was there", got.Value)
	}
	if ids := next.IDs(PluginMetadata); len(ids) != 2 {
		t.Errorf("ids %v, want two", ids)
	}
}
