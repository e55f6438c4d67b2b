"""Sentences with marked identifiers, ``[KIND text]``, and sentences that hold none.

Made up for these tests; no sentence, name or number comes from a data set.
"""

# ruff: noqa: E501
from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"\[([A-Z_]+) ([^\]]+)\]")

MARKED = """
The referral for [PERSON Wilhelmina Osterbrook] came in on Monday; call her at [PHONE_NUMBER +44 20 7946 0123].
Dear Mr [PERSON Adeyemi], your appointment with Dr. [PERSON Farrukh Nazarov] is confirmed.
Patient: [PERSON Thandeka Mokoena]   DOB: [DATE_OF_BIRTH 14/02/1961]   MRN: [MEDICAL_RECORD 00482913]
Please pay [IBAN_CODE DE44 5001 0517 5407 3249 31] by Friday, or ask [EMAIL_ADDRESS billing.klara@nordbank.example].
[PERSON Ludmila Horáková] moved to [STREET_ADDRESS Lindenstraße 14b, 10969 Berlin] in March.
She paid with card [CREDIT_CARD 5555 5555 5555 4444] from [IP_ADDRESS 192.168.44.7].
SSN [US_SSN 219-09-9999] belongs to [PERSON Terrence O'Malley].
Our client, Ms [PERSON Priyanka Venkataraman], lives at [STREET_ADDRESS 77 Harbour View Road, Apt 3C].
Signed: [PERSON Jean-Baptiste Lacombe]
[PERSON Kowalczyk, Agnieszka] - discharge approved by Dr [PERSON Zieliński].
The nurse, [PERSON Siobhán Ní Dhomhnaill], noted the allergy.
Mail [EMAIL_ADDRESS j.okafor+ward@hospital.example.org] or [EMAIL_ADDRESS Maria.Garcia@clinic.co.uk].
Herr [PERSON Jürgen Schröder] wohnt in der [STREET_ADDRESS Goethestr. 5, 80336 München].
Mme [PERSON Geneviève Charpentier] habite [STREET_ADDRESS 12 bis, rue de la République, 69002 Lyon].
La paciente [PERSON Xiomara Villalobos] vive en [STREET_ADDRESS Calle de Alcalá 45, 28014 Madrid].
Il signor [PERSON Ettore Santamaria], nato il [DATE_OF_BIRTH 03.11.1948], [STREET_ADDRESS Via Garibaldi 7, 20121 Milano].
Pacjentka [PERSON Małgorzata Wiśniewska], [STREET_ADDRESS ul. Piotrkowska 104/5, 90-926 Łódź].
From: [PERSON Hiroshi Tanaka] <[EMAIL_ADDRESS hiroshi.tanaka@example.jp]>
To: [PERSON Nguyen Van Minh], [PERSON Chloe Dubois]; Cc: [PERSON Oluwaseun Adebayo]
[PERSON MARIA GONZALEZ] (born [DATE_OF_BIRTH 12 March 1975]) signed the consent.
Next of kin: [PERSON Ahmed El-Sayed], tel. [PHONE_NUMBER 0151 2345 6789].
Account number [BANK_ACCOUNT 4471902263] is held by [PERSON Fiona McAllister].
Passport no. [PASSPORT C01X00T47] was shown by [PERSON Dmitri Volkov].
The driver's license [DRIVER_LICENSE D1234567] of [PERSON Latoya Jefferson] expired.
Interview with [PERSON Dr. Rajesh Iyer]: he asked for [PERSON Sunita].
Yesterday [PERSON Björn Åkesson] and [PERSON Aino Virtanen] met [PERSON Σοφία Παπαδοπούλου].
Пациент [PERSON Иван Петров] записан на приём.
Call [PHONE_NUMBER (555) 010-4477] and ask for [PERSON Becky].
Emergency contact [PERSON Rosalind Achterberg], [PHONE_NUMBER 212-555-0187].
Card ending was replaced; the old one was [CREDIT_CARD 4012888888881881].
The server logged [IP_ADDRESS 2001:db8:85a3::8a2e:370:7334] for user [PERSON Katarzyna].
Our HR lead [PERSON Yusuf Demirci] sent the file to [EMAIL_ADDRESS yusuf@demo.example].
Born [DATE_OF_BIRTH 1983-07-09], [PERSON Leticia Bittencourt] studied law.
Address: [STREET_ADDRESS 221B Baker Street, London NW1 6XE]
Ship to [STREET_ADDRESS 4500 Maple Grove Avenue, Springfield, IL 62704] please.
[PERSON Sean Fitzpatrick]'s file and [PERSON Anneliese Vogt]’s notes were merged.
NHS number [UK_NHS 943 476 5919], NI number [UK_NINO QQ 12 34 56 C].
Her IBAN is [IBAN_CODE FR76 3000 6000 0112 3456 7890 189]; his is [IBAN_CODE GB29NWBK60161331926819].
Kontonummer [BANK_ACCOUNT 0648479930], BLZ 10050000, Kontakt: [PERSON Sabine Grünwald].
Beste [PERSON Femke van der Meulen], bedankt voor uw bericht.
Cher [PERSON Thibault], voici le numéro : [PHONE_NUMBER 06 12 34 56 78].
Tel: [PHONE_NUMBER +1-415-555-0132] ext. 22, fax [PHONE_NUMBER +1 415 555 0199]
Witness [PERSON Chukwuemeka Nwosu] saw [PERSON Mrs. Hollingsworth] fall.
The memo by [PERSON P. K. Chatterjee] names [PERSON R. Lindqvist] as reviewer.
[PERSON gonzalez_maria] opened the file; see [EMAIL_ADDRESS maria_gonzalez@x.example].
Reviewed by [PERSON Xiaoming Zhang] and approved by [PERSON Park Ji-hoon].
MRN-[MEDICAL_RECORD 5590127] was assigned to baby [PERSON Amara Okonjo].
Please forward to [PERSON Leroy Jenkins], [STREET_ADDRESS P.O. Box 4471].
The tenant, [PERSON Abdulrahman Al-Farsi], pays by [CREDIT_CARD 378282246310005].
Date of birth of [PERSON Olga Smirnova] is [DATE_OF_BIRTH May 5, 1990].
MAC [MAC_ADDRESS 00:1A:2B:3C:4D:5E] was seen at [IP_ADDRESS 10.0.8.15].
Kontakt: [PERSON Ing. Zdeněk Procházka], mobil [PHONE_NUMBER +420 603 123 456].
Employee ID: [NATIONAL_ID E-104482]; name: [PERSON Gwendolyn Ashworth-Pryce].
Dr. med. [PERSON Annegret Küppers] hat die Patientin [PERSON Dilara Yıldız] untersucht.
Codice fiscale [IT_FISCAL_CODE RSSMRA85T10A562S], intestato a [PERSON Mario Rossi].
DNI [ES_NIF 12345678Z] de [PERSON Inmaculada Cisneros].
Write to [EMAIL_ADDRESS anna (at) example (dot) com] or ring [PHONE_NUMBER 030 / 1234567].
The caller said her name was [PERSON Tamsin Pemberton-Hale] and hung up.
[PERSON Nakamura] told [PERSON Ms Oyelaran] that [PERSON Henrik Sørensen] had left.
Deposit for [PERSON Ioana Dumitrescu], account [BANK_ACCOUNT RO49-1123-9900], due today.
Cc: [PERSON Harriet Lindqvist-Moss] <[EMAIL_ADDRESS hlm@post.example]>; Bcc: [EMAIL_ADDRESS payroll.team@bank.example]
The ward sister spoke to [PERSON Gwendoline Farquharson], [PERSON Bartholomew Quill] and [PERSON Ines Carvalho].
{"patient_name": "[PERSON Oskar Lindenbaum]", "dob": "[DATE_OF_BIRTH 1950-12-01]", "phone": "[PHONE_NUMBER 0171 5550142]"}
lastName=[PERSON Fitzwilliam]; ssn=[US_SSN 512-88-1034]; ip=[IP_ADDRESS 172.16.254.1]
Geburtsdatum: [DATE_OF_BIRTH 7. März 1969], Anschrift: [STREET_ADDRESS Am Alten Markt 3, 50667 Köln]
Fecha de nacimiento: [DATE_OF_BIRTH 5 de mayo de 1971], médico: [PERSON Ramiro Echeverría]
[PERSON Desmond Achebe] (MRN [MEDICAL_RECORD 7719203]) was moved to bed 4 by [PERSON Nurse Kipchoge].
We thank [PERSON Mr. and Mrs. Abernathy] of [STREET_ADDRESS 9 Orchard Lane] for their gift.
IBAN: [IBAN_CODE nl91abna0417164300], holder [PERSON Marijke de Boer].
The old card [CREDIT_CARD 6011-1111-1111-1117] of [PERSON Carmela Esposito] was blocked.
Password reset for [PERSON zbigniew.kaminski] from [IP_ADDRESS 203.0.113.77].
Driving licence [DRIVER_LICENSE MORGA657054SM9IJ], issued to [PERSON Sarah Morgan].
Bonjour [PERSON Anaïs], ton rendez-vous avec [PERSON le docteur Benoît Lefèvre] est confirmé.
Tax ID [NATIONAL_ID 47036892816] of [PERSON Uwe Hinrichs] was checked.
Sort code 20-00-00, account no [BANK_ACCOUNT 55779911], name [PERSON Alistair Buchanan].
[PERSON STOJANOVIĆ Dragan] lives at [STREET_ADDRESS 1600 Pennsylvania Avenue NW, Washington, DC 20500].
Attending: [PERSON Folasade Ogunleye, MD]; next visit with [PERSON Prof. Ellen Stubbs].
"""

PLAIN = """
The Discharge Summary must be filed within 24 hours of leaving the ward.
Amazon Bedrock and OpenSearch are approved platforms; Kubernetes clusters need a review.
Section 4.2.1 describes the Travel Expense Policy in version 2.14.0 of the handbook.
Interest Rate Risk is reported to the Board of Directors every quarter.
The Berlin office moved from Hamburg in 2019, and Paris followed in April 2021.
Employees may carry over 5 days of leave until 31 March of the next year.
Paracetamol 500 mg is given every 6 hours; Ibuprofen is not used with Warfarin.
Order 4471 units at 12.50 EUR each, for a total of 55,887.50 EUR.
General Ledger, Accounts Payable and Treasury close on the second Monday.
Parkinson's Disease and Alzheimer's Disease are treated in Ward 7 of the Hospital.
The European Central Bank raised rates by 0.25 points on Thursday.
In chapter 12 the reader learns how a Data Retention Schedule is drawn up.
Use Python 3.11 and set the timeout to 30 seconds before you run the job.
The Annual General Meeting will take place in Vienna, Austria.
Blood pressure of 120/80 is normal; call the ward when it rises over 180/110.
New York, Washington and San Francisco are served by the American team.
Fire drills are held in spring and autumn; see the Green Book, page 77.
Germany, France and the Netherlands apply the same rule since 2018-05-25.
""".strip().splitlines()


@dataclass(frozen=True)
class Marked:
    """A sentence without marks, and where its identifiers are: start, end, kind."""

    text: str
    identifiers: tuple[tuple[int, int, str], ...]


def marked() -> list[Marked]:
    sentences = []
    for line in MARKED.strip().splitlines():
        pieces: list[str] = []
        spans: list[tuple[int, int, str]] = []
        place = length = 0
        for mark in _MARK.finditer(line):
            before = line[place : mark.start()]
            pieces += (before, mark[2])
            length += len(before)
            spans.append((length, length + len(mark[2]), mark[1]))
            length += len(mark[2])
            place = mark.end()
        sentences.append(Marked("".join(pieces) + line[place:], tuple(spans)))
    return sentences
