package cases

var haBugs = map[string][]string{}
