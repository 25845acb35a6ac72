#include "conformance/mutants/faults_check.h"

#include <stdlib.h>
#include <string.h>

#include "call/survey.h"
#include "conformance/mutants/wrap.h"

static wzp_check_fault fault;

void wzp_check_fault_set(wzp_check_fault which) {
    fault = which;
}

/* All that a survey found, as the report is given to whoever writes it. */
static void falsify(wzp_netcheck *r) {
    switch (fault) {
    case WZP_CHECK_FAULT_DISTRACTED:
        for (size_t i = 0; i < r->relay_count; i++) {
            r->relays[i].has_time = false;
            r->relays[i].error = "unexpected PresenceList";
        }
        break;
    case WZP_CHECK_FAULT_ALWAYS_CONE:
        r->nat.type = WZP_NAT_TYPE_CONE;
        break;
    case WZP_CHECK_FAULT_NEVER_CONE:
        r->nat.type = WZP_NAT_TYPE_SYMMETRIC_PORT;
        break;
    case WZP_CHECK_FAULT_PRESUMES_V6:
        r->ipv6 = true;
        break;
    default:
        break;
    }
}

WRAP(void, wzp_survey_report, wzp_survey *survey, wzp_netcheck *report) {
    __real_wzp_survey_report(survey, report);
    falsify(report);
}

WRAP(bool, wzp_survey_is_done, const wzp_survey *survey) {
    wzp_netcheck report = {.gateway = {.family = WZP_ADDR_NONE}};
    if (fault == WZP_CHECK_FAULT_NEVER_DONE) {
        __real_wzp_survey_report(wzp_drop_const(survey), &report);
        return __real_wzp_survey_is_done(survey) && report.ipv4;
    }
    return __real_wzp_survey_is_done(survey);
}

static wzp_netcheck with_flags(const wzp_netcheck *report) {
    wzp_netcheck r = *report;
    if (fault == WZP_CHECK_FAULT_ONE_FLAG) {
        r.natpmp = r.pcp = r.upnp = r.natpmp || r.pcp;
    } else if (fault == WZP_CHECK_FAULT_FIRST_FLAG) {
        r.pcp = r.pcp && !r.natpmp;
    } else if (fault == WZP_CHECK_FAULT_PRESUMES_FLAGS && r.gateway.family != WZP_ADDR_NONE) {
        r.natpmp = r.pcp = true;
    }
    return r;
}

WRAP(void, wzp_netcheck_text, wzp_wr *wr, const wzp_netcheck *report) {
    const wzp_netcheck said = with_flags(report);
    if (fault == WZP_CHECK_FAULT_OWN_LAYOUT) {
        wzp_wr_str(wr, "# Netcheck\n\n");
    }
    __real_wzp_netcheck_text(wr, &said);
}

/* "hairpin_works" is null for who has not tried, and "gateway" where there is none. */
static void leave_out(char *json, const char *member) {
    char *at = strstr(json, member);
    if (at != NULL) {
        memmove(at, at + strlen(member), strlen(at + strlen(member)) + 1);
    }
}

WRAP(void, wzp_netcheck_json, wzp_wr *wr, const wzp_netcheck *report) {
    enum { TEXT_MAX = 8192 };
    char text[TEXT_MAX] = "";
    const wzp_netcheck said = with_flags(report);
    wzp_wr own;
    wzp_wr_init(&own, (uint8_t *)text, sizeof text - 1);
    __real_wzp_netcheck_json(&own, &said);
    if (fault == WZP_CHECK_FAULT_OMITS_NULLS) {
        leave_out(text, "\"gateway\":null,");
    }
    wzp_wr_str(wr, text);
}
