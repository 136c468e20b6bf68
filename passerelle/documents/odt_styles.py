"""Styles of minutes as an OpenDocument text: XML of ours (OpenDocument 1.4 part 3, §16), without a word of members."""

_SERIF = 'style:font-name="Liberation Serif"'
_RULE = "0.5pt solid #999999"

STYLES = (
    '<style:style style:name="Text_20_body" style:display-name="Text body" style:family="paragraph"'
    ' style:parent-style-name="Standard" style:class="text">'
    '<style:paragraph-properties fo:margin-top="0cm" fo:margin-bottom="0.2cm" fo:line-height="115%"/>'
    "</style:style>",
    '<style:style style:name="Heading_20_1" style:display-name="Heading 1" style:family="paragraph"'
    ' style:parent-style-name="Heading" style:next-style-name="Text_20_body" style:default-outline-level="1">'
    '<style:paragraph-properties fo:margin-top="0cm" fo:margin-bottom="0.4cm" fo:keep-with-next="always"/>'
    f'<style:text-properties {_SERIF} fo:font-size="20pt" fo:font-weight="bold"/></style:style>',
    '<style:style style:name="Heading_20_2" style:display-name="Heading 2" style:family="paragraph"'
    ' style:parent-style-name="Heading" style:next-style-name="Text_20_body" style:default-outline-level="2">'
    '<style:paragraph-properties fo:margin-top="0.6cm" fo:margin-bottom="0.25cm" fo:keep-with-next="always"/>'
    f'<style:text-properties {_SERIF} fo:font-size="14pt" fo:font-weight="bold"/></style:style>',
    '<style:style style:name="Heading_20_3" style:display-name="Heading 3" style:family="paragraph"'
    ' style:parent-style-name="Heading" style:next-style-name="Text_20_body" style:default-outline-level="3">'
    '<style:paragraph-properties fo:margin-top="0.35cm" fo:margin-bottom="0.15cm" fo:keep-with-next="always"/>'
    f'<style:text-properties {_SERIF} fo:font-size="12pt" fo:font-weight="bold"/></style:style>',
    '<style:style style:name="Minutes_20_note" style:display-name="Minutes note" style:family="paragraph"'
    ' style:parent-style-name="Text_20_body"><style:paragraph-properties fo:margin-left="0.6cm"'
    ' fo:margin-bottom="0.1cm"/><style:text-properties fo:color="#444444" fo:font-size="11pt"/></style:style>',
    '<style:style style:name="Minutes_20_entry" style:display-name="Minutes entry" style:family="paragraph"'
    ' style:parent-style-name="Text_20_body"><style:paragraph-properties fo:margin-top="0.15cm"'
    ' fo:margin-bottom="0.1cm" fo:keep-with-next="auto"/></style:style>',
    '<style:style style:name="Minutes_20_cell" style:display-name="Minutes cell" style:family="paragraph"'
    ' style:parent-style-name="Standard"><style:paragraph-properties fo:margin-top="0.05cm"'
    ' fo:margin-bottom="0.05cm"/></style:style>',
    '<style:style style:name="Minutes_20_head" style:display-name="Minutes head" style:family="paragraph"'
    ' style:parent-style-name="Minutes_20_cell"><style:text-properties fo:font-weight="bold"/></style:style>',
    '<style:style style:name="Minutes_20_signature" style:display-name="Minutes signature" style:family="paragraph"'
    ' style:parent-style-name="Standard"><style:paragraph-properties fo:margin-top="2cm" fo:border-top='
    f'"{_RULE}"/><style:text-properties fo:color="#444444" fo:font-size="10pt"/></style:style>',
    '<style:style style:name="Header" style:family="paragraph" style:parent-style-name="Standard">'
    '<style:text-properties fo:color="#444444" fo:font-size="10pt"/></style:style>',
    '<style:style style:name="Footer" style:family="paragraph" style:parent-style-name="Standard">'
    '<style:paragraph-properties><style:tab-stops><style:tab-stop style:position="17cm" style:type="right"/>'
    '</style:tab-stops></style:paragraph-properties><style:text-properties fo:color="#444444" fo:font-size="10pt"/>'
    "</style:style>",
    '<style:style style:name="Strong" style:family="text"><style:text-properties fo:font-weight="bold"/></style:style>',
    '<text:list-style style:name="Minutes_20_bullets" style:display-name="Minutes bullets">'
    '<text:list-level-style-bullet text:level="1" text:bullet-char="•"><style:list-level-properties'
    ' text:list-level-position-and-space-mode="label-alignment"><style:list-level-label-alignment'
    ' text:label-followed-by="listtab" text:list-tab-stop-position="0.6cm" fo:text-indent="-0.6cm"'
    ' fo:margin-left="0.6cm"/></style:list-level-properties></text:list-level-style-bullet></text:list-style>',
    '<text:list-style style:name="Minutes_20_numbers" style:display-name="Minutes numbers">'
    '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix=".">'
    '<style:list-level-properties text:list-level-position-and-space-mode="label-alignment">'
    '<style:list-level-label-alignment text:label-followed-by="listtab" text:list-tab-stop-position="0.8cm"'
    ' fo:text-indent="-0.8cm" fo:margin-left="0.8cm"/></style:list-level-properties>'
    "</text:list-level-style-number></text:list-style>",
)

#: Of one document only, as OpenDocument wants it of cells and columns.
AUTOMATIC = (
    '<style:style style:name="MinutesTable" style:family="table"><style:table-properties style:width="17cm"'
    ' table:align="left" fo:margin-bottom="0.3cm" table:border-model="collapsing"/></style:style>',
    '<style:style style:name="MinutesCell" style:family="table-cell"><style:table-cell-properties'
    f' fo:padding="0.12cm" fo:border-bottom="{_RULE}"/></style:style>',
    '<style:style style:name="MinutesOpenCell" style:family="table-cell"><style:table-cell-properties'
    ' fo:padding="0.3cm"/></style:style>',
    '<style:style style:name="MinutesRow" style:family="table-row"><style:table-row-properties'
    ' fo:keep-together="always"/></style:style>',
    *(
        f'<style:style style:name="MinutesColumn{millimetres}" style:family="table-column">'
        f'<style:table-column-properties style:column-width="{millimetres / 10}cm"/></style:style>'
        for millimetres in (15, 35, 45, 50, 70, 85, 125)
    ),
)

#: Of an account, beside the others: numbers at the right, what a figure counts, a chart in its line.
ACCOUNT = (
    '<style:style style:name="AccountNumber" style:family="paragraph" style:parent-style-name="Minutes_20_cell">'
    '<style:paragraph-properties fo:text-align="end"/></style:style>',
    '<style:style style:name="AccountNumberHead" style:family="paragraph" style:parent-style-name="Minutes_20_head">'
    '<style:paragraph-properties fo:text-align="end"/></style:style>',
    '<style:style style:name="AccountMeans" style:family="paragraph" style:parent-style-name="Minutes_20_cell">'
    '<style:text-properties fo:color="#444444" fo:font-size="9.5pt"/></style:style>',
    '<style:style style:name="AccountChart" style:family="graphic"><style:graphic-properties style:wrap="none"'
    ' style:vertical-pos="top" style:vertical-rel="baseline"/></style:style>',
)

PAGE = (
    '<style:header-style><style:header-footer-properties fo:min-height="0.6cm" fo:margin-bottom="0.5cm"/>'
    "</style:header-style>",
    '<style:footer-style><style:header-footer-properties fo:min-height="0.6cm" fo:margin-top="0.5cm"/>'
    "</style:footer-style>",
)
