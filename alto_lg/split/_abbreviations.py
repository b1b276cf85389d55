"""Abbreviations of English, and the words that begin sentences after those which may end one."""

from __future__ import annotations

_NEVER_LAST = """
    mr mrs ms messrs mme mlle dr prof st rev fr hon pres gov sen rep amb gen col maj capt cpt cmdr adm lt sgt cpl pvt
    vs v viz cf e.g i.e eg ie approx ca c fig figs eq eqs sec ch chap vol vols no nos p pp ed eds art ref refs
    mt ft supt insp det ofc asst assoc dept est min max resp incl excl tel ext nr lit transl
    abbr b
"""
_MAY_BE_LAST = """
    inc ltd co corp llc bros jr sr esq etc al jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu
    thur thurs fri sat sun ave blvd rd hwy bldg univ a.m p.m am pm u.s u.k u.n u.s.a e.u d.c b.c a.d ph.d m.d b.a
    m.a b.sc m.sc cent oz lb lbs hr hrs sq ph pt
"""
_STARTERS = """
    the a an he she it they we you i this that these those there his her its their our my in on at by for from with
    to as if when while after before during since until although though because however but and or so yet then thus
    therefore moreover furthermore meanwhile also another each every some many most all both no not one two three
    several other such what who where why how here now today later once upon under over between among within without
    despite according following unlike like is are was were do does did can could will would should may might
"""

NEVER_LAST = frozenset(_NEVER_LAST.split())
"""A period behind one of these does not end a sentence, whatever follows."""

MAY_BE_LAST = frozenset(_MAY_BE_LAST.split())
"""A period behind one of these ends a sentence if a word follows that commonly begins one."""

STARTERS = frozenset(_STARTERS.split())
