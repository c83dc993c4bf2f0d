package cases

var trafficBugs = map[string][]string{
	"HDR-XFF":                 {"no forwarded-for", "replaces forwarded-for", "believes clients"},
	"HDR-HOP-BY-HOP":          {"copies request headers", "copies response headers", "passes upgrades"},
	"HDR-FORWARDED":           {"passes Forwarded", "believes the client's port"},
	"HDR-CONNECTION-SHIELD":   {"strips what it added"},
	"HDR-ORDER":               {"turns lines round", "turns lines of answers round", "keeps one line of a name"},
	"HDR-VALUES":              {"drops empty values"},
	"HDR-SET-COOKIE":          {"joins lines", "keeps one line of a name", "turns lines of answers round"},
	"HDR-LARGE":               {"has little room for headers"},
	"HDR-STATUS":              {"knows few statuses", "has pages of its own"},
	"HDR-DATE":                {"dates answers itself"},
	"HDR-INTERIM-HARMLESS":    {"chokes on 1xx"},
	"HDR-INTERIM-PASSED":      {"drops 1xx"},
	"HOST-PASS":               {"takes the port off Host"},
	"HOST-NODE":               {"ignores pass_host"},
	"HOST-REWRITE":            {"ignores pass_host"},
	"BODY-INTACT":             {"overwrites bodies", "drops chunked bodies", "cuts long bodies", "overwrites answers", "cuts long answers"},
	"LB-WEIGHTED":             {"ignores weights", "serves weight 0", "begins its round with every connection"},
	"RETRY-CONNECT-REFUSED":   {"no retry"},
	"RETRY-POST-NOT-REPEATED": {"repeats everything"},
	"HEALTH-DOWN-UP":          {"ignores the status of probes", "ignores silence", "never takes back"},
}
