/* Quantities with their units, as people write them in scenarios: "20 ms", "1.5 Mbit/s", "0.1 %".
 *
 * Decimal fractions are exact integers in the unit of storage, never binary floating point: "0.1 %"
 * is 1000 ppm everywhere.  A range "10..50 ms" is two quantities of one kind. */
#ifndef WZP_SIM_LAB_UNITS_H
#define WZP_SIM_LAB_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum wzp_lab_unit {
    WZP_LAB_TIME,  /* stored in ns */
    WZP_LAB_RATE,  /* bit/s */
    WZP_LAB_SIZE,  /* bytes */
    WZP_LAB_SHARE, /* ppm, 0..1 000 000 */
    WZP_LAB_SKEW,  /* ppm, may be negative */
    WZP_LAB_PER_S, /* thousandths per second */
    WZP_LAB_PLAIN, /* a count: no unit */
    WZP_LAB_UNIT_COUNT
} wzp_lab_unit;

typedef enum wzp_lab_units_err {
    WZP_LAB_UNITS_OK,
    WZP_LAB_UNITS_NO_NUMBER, /* does not begin with a decimal number */
    WZP_LAB_UNITS_NO_UNIT,
    WZP_LAB_UNITS_UNKNOWN, /* not a unit of this kind */
    WZP_LAB_UNITS_FINE,    /* more decimals than can be stored */
    WZP_LAB_UNITS_BIG,
    WZP_LAB_UNITS_ORDER /* the range ends below its start */
} wzp_lab_units_err;

/* "A" or "A..B", a unit after the second or after both; *low == *high for one quantity.  Written on
 * success only. */
wzp_lab_units_err wzp_lab_units_parse(wzp_lab_unit kind, const char *text, int64_t *low,
                                      int64_t *high);

const char *wzp_lab_unit_what(wzp_lab_unit kind); /* "a time"; static text */
const char *wzp_lab_unit_list(wzp_lab_unit kind); /* "ns us ms s min h"; "" for counts */
const char *wzp_lab_unit_like(wzp_lab_unit kind); /* "20 ms": an example */

/* The shortest exact text that parses back to `value`, in the biggest unit that needs no decimals.
 * Returns `buf`. */
#define WZP_LAB_UNITS_TEXT_MAX 40
const char *wzp_lab_units_text(wzp_lab_unit kind, int64_t value, char buf[WZP_LAB_UNITS_TEXT_MAX]);

#endif
