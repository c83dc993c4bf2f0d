package cases

var reloadBugs = map[string][]string{
	"RELOAD-NEW-ROUTE":           {"pins connections", "applies late"},
	"RELOAD-ROUTE-MOVES":         {"keeps old matches"},
	"RELOAD-REFERENCES":          {"copies references"},
	"RELOAD-SHARED-UPSTREAM":     {"deletes what a route used"},
	"RELOAD-DELETE-EFFECT":       {"ignores deletes"},
	"RELOAD-RECREATE":            {"a delete wins over what follows", "keeps old matches"},
	"RELOAD-BURST":               {"loses some edits", "ignores deletes"},
	"RELOAD-REFUSED-EDIT":        {"replaces before it looks", "lets bad nodes in"},
	"RELOAD-KEEPALIVE-OVER-EDIT": {"pins connections", "closes on edit"},
	"RELOAD-OWN-WORD":            {"applies late", "pins connections"},
	"RELOAD-SLOW-OVER-EDIT":      {"edits cut requests"},
	"RELOAD-SLOW-OVER-DELETE":    {"deletes cut requests"},
	"RELOAD-SLOW-OVER-REMOVAL":   {"edits cut requests", "deletes cut requests"},
	"RELOAD-BODY-OVER-EDIT":      {"edits cut requests", "deletes cut requests"},
	"RELOAD-BACKEND-CONNS-KEPT":  {"edits close connections to backends"},
	"RELOAD-WEIGHTS-KEPT":        {"edits begin rounds again"},
	"RELOAD-HEALTH-KEPT":         {"edits forget health"},
	"RELOAD-HEALTH-OTHER-NODE":   {"edits forget the health of their upstream"},
	"RELOAD-EDIT-UNDER-LOAD":     {"drops at a reload", "applies late", "goes back now and then", "lets bad nodes in", "mixes answers"},
}
