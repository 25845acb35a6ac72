// Included before everything else in tests that run under sanitizers, where check does not fork.
// check writes every assertion that holds to a pipe, for the parent that will tell where a child
// has crashed.  There is no parent, the sanitizer's report has the place, and a million writes take
// seconds.
#pragma once
#include <check.h>

#define _mark_point(file, line) ((void)0) // NOLINT(bugprone-reserved-identifier): its own name
