#include "sim/gateway/xml.h"

#include "wire/testing/bytes.h"

static const struct text_case {
    const char *name, *xml, *element;
    const char *want; /* NULL: not found */
} text_cases[] = {
    {"plain", "<a><b>x</b></a>", "b", "x"},
    {"prefix", "<u:a><v:b>x</v:b></u:a>", "b", "x"},
    {"attributes", "<b xmlns:dt=\"urn:x\" dt:dt=\"ui2\">17</b>", "b", "17"},
    {"line break in the tag", "<b\r\n\tc=\"d\">x</b>", "b", "x"},
    {"blanks are kept", "<b> x </b>", "b", " x "},
    {"empty", "<b></b>", "b", ""},
    {"empty in one tag", "<b/>", "b", ""},
    {"empty in one tag with a blank", "<b />", "b", ""},
    {"the first of two", "<b>1</b><b>2</b>", "b", "1"},
    {"not a longer name", "<bb>1</bb><b>2</b>", "b", "2"},
    {"not a shorter name", "<b>1</b><bb>2</bb>", "bb", "2"},
    {"in a comment with a bracket", "<!-- a > <b>1</b> --><b>2</b>", "b", "2"},
    {"in a comment", "<!-- <b>1</b> --><b>2</b>", "b", "2"},
    {"declaration and instruction", "<?xml b?><!DOCTYPE b><b>2</b>", "b", "2"},
    {"case matters", "<B>1</B>", "b", NULL},
    {"only its end", "</b>", "b", NULL},
    {"not ended", "<b>1", "b", NULL},
    {"tag not ended", "<b", "b", NULL},
    {"comment not ended", "<!-- <b>1</b>", "b", NULL},
    {"nothing", "", "b", NULL},
    {"odd brackets", "<><<b>>1</b>", "b", NULL},
};

START_TEST(text) {
    const struct text_case *c = &text_cases[_i];
    wzp_bytes got = {0};
    const bool found = wzp_sim_xml_text(wzp_bytes_str(c->xml), c->element, &got);
    ck_assert_msg(found == (c->want != NULL), "%s", c->name);
    ck_assert_msg(c->want == NULL || wzp_bytes_equal(got, wzp_bytes_str(c->want)), "%s: %.*s",
                  c->name, (int)got.len, (const char *)got.data);
}
END_TEST

static const struct child_case {
    const char *name, *xml;
    const char *want; /* NULL: not found */
} child_cases[] = {
    {"with prefixes", "<s:Envelope><s:Body><u:Go xmlns:u=\"x\">", "Go"},
    {"after a comment", "<Body> <!-- <No/> --> <Go/></Body>", "Go"},
    {"empty", "<Body></Body><Go/>", NULL},
    {"empty in one tag", "<Body/><Go/>", NULL},
    {"no parent", "<Go/>", NULL},
    {"nothing follows", "<Body>", NULL},
};

START_TEST(child) {
    const struct child_case *c = &child_cases[_i];
    wzp_bytes got = {0};
    const bool found = wzp_sim_xml_child(wzp_bytes_str(c->xml), "Body", &got);
    ck_assert_msg(found == (c->want != NULL), "%s", c->name);
    ck_assert_msg(c->want == NULL || wzp_bytes_equal(got, wzp_bytes_str(c->want)), "%s", c->name);
}
END_TEST

START_TEST(entities) {
    uint8_t buf[128];
    uint8_t back[128];
    wzp_wr wr;
    const wzp_bytes plain = wzp_bytes_str("a<b>&\"c\"'&amp;&x;&");
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_sim_xml_escape(&wr, plain);
    const wzp_bytes safe = {buf, wzp_wr_len(&wr)};
    CK_ASSERT_BYTES(safe, wzp_bytes_str("a&lt;b&gt;&amp;&quot;c&quot;&apos;&amp;amp;&amp;x;&amp;"));
    wzp_wr_init(&wr, back, sizeof back);
    wzp_sim_xml_unescape(&wr, safe);
    CK_ASSERT_BYTES(wzp_bytes_of(back, wzp_wr_len(&wr)), plain);
    wzp_wr_init(&wr, back, sizeof back);
    wzp_sim_xml_unescape(&wr, wzp_bytes_str("&unknown;&amp")); /* as they are */
    CK_ASSERT_BYTES(wzp_bytes_of(back, wzp_wr_len(&wr)), wzp_bytes_str("&unknown;&amp"));
}
END_TEST

START_TEST(every_prefix) {
    const wzp_bytes whole = wzp_bytes_str("<?xml?><!-- - --><s:Body><u:Go a=\"b\"><b>x&amp;</b>");
    for (size_t len = 0; len <= whole.len; len++) {
        uint8_t *copy = exact(whole.data, len);
        wzp_bytes got;
        const bool found = wzp_sim_xml_text(wzp_bytes_of(copy, len), "b", &got);
        ck_assert(found == (len + 3 >= whole.len)); /* its text has ended */
        (void)wzp_sim_xml_child(wzp_bytes_of(copy, len), "Body", &got);
        free(copy);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("xml");
    tcase_add_loop_test(tc, text, 0, WZP_COUNT_OF(text_cases));
    tcase_add_loop_test(tc, child, 0, WZP_COUNT_OF(child_cases));
    tcase_add_test(tc, entities);
    tcase_add_test(tc, every_prefix);
    return wzp_run_suite("xml", tc);
}
