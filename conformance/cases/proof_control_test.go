package cases

var controlBugs = map[string][]string{
	"CONTROL-OBJECTS":      {"its control API tells no revisions", "its control API lists nothing", "its control API tells what is gone", "its control API tells other values"},
	"CONTROL-SCHEMA":       {"tells no plugins", "tells no kinds"},
	"CONTROL-HEALTH":       {"calls every target healthy", "has no page of health", "has a checker of everything", "shows a name for the address"},
	"CONTROL-EXPLAIN":      {"explains without conditions", "explains without reasons", "explains without revisions"},
	"CONTROL-EXPLAIN-NEXT": {"an account takes a turn", "names the first target as next"},
}
