/* Just enough XML for SOAP: the text of an element, and text made safe.  Pure functions. */
#ifndef WZP_SIM_GATEWAY_XML_H
#define WZP_SIM_GATEWAY_XML_H

#include "base/bytes.h"
#include "base/wr.h"

/* The text of the first element of this name, whatever its namespace prefix, as it stands in the
 * document (entities and all).  False: there is none, or it does not end. */
bool wzp_sim_xml_text(wzp_bytes xml, const char *name, wzp_bytes *text);

/* The name of the first element inside of the first element named `parent`, without its prefix. */
bool wzp_sim_xml_child(wzp_bytes xml, const char *parent, wzp_bytes *name);

/* Appends `text` with its entities resolved; unknown ones are kept as they are. */
void wzp_sim_xml_unescape(wzp_wr *wr, wzp_bytes text);

/* Appends `text` with what XML reserves written as entities. */
void wzp_sim_xml_escape(wzp_wr *wr, wzp_bytes text);

#endif
