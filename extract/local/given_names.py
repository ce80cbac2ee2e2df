"""Common given names with the pronoun that their bearers mostly take, to tell people from places and "she" from "he".

Names that are other words, places or of both sexes are left out: a name that is not here is judged by the words around it.
"""

# Lists of words read better as text than as lists of literals.

_SHE = (
    "Abigail Ada Adriana Agnes Aisha Alba Alejandra Alexandra Alice Alicia Alison Amalia Amanda Amelia Amina Amy Ana "
    "Anastasia Andrea Angela "
    "Angelica Anita Ann Anna Anne Annie Antonia Anya Astrid Audrey Aurora Ava Barbara Beatrice Beatriz Bella Bernadette Beth Bianca "
    "Birgit Brenda Bridget Camila Carla Carmen Carol Carolina Caroline Cassandra Catherine Cecilia Celia Celine Chiara Chloe Christina "
    "Christine Cindy Claire Clara Claudia Colleen Cynthia Daniela Danielle Daphne Deborah Delia Denise Diana Diane Dolores Dorothy Edith "
    "Eileen Elaine Eleanor Elena Elif Elin Elisa Elise Eliza Elizabeth Ella Ellen Eloise Elsa Elsie Emilia Emily Emma Erica "
    "Erika Esther Eva "
    "Evelyn Fatima Fiona Florence Frances Francesca Freya Gabriela Gabrielle Gemma Gertrude Gina Giulia Gloria Greta Gwen "
    "Hana Hannah Harriet "
    "Heather Helen Helena Helga Hilda Ida Ilse Ines Inga Ingrid Irene Isabel Isabella Isabelle Jana Jane Janet Janice Jasmine Jean Jenna "
    "Jennifer Jenny Jessica Joan Joanna Johanna Josephine Joyce Judith Judy Julia Juliana Julie Juliet Karen Karin Karina Kate Katherine "
    "Kathleen Katie Katrina Kirsten Kristen Kristin Kristina Laila Lara Laura Lauren Layla Leila Lena Leonora Leticia Lilian "
    "Linda Lisa Lola "
    "Louisa Louise Lucia Lucy Luisa Luna Lydia Madeleine Magda Maja Manuela Margaret Margarita Margot Maria Mariana Marianne Marie Marina "
    "Marisol Marjorie Marlene Marta Martha Martina Mary Matilda Maya Megan Melanie Melissa Mia Michelle Mila Mildred Miriam Molly Mona "
    "Monica Monika Nadia Nancy Naomi Natalia Natalie Natasha Nicole Nina Noemi Nora Olga Olivia Pamela Patricia Paula Pauline "
    "Penelope Petra "
    "Phoebe Pia Priya Rachel Rebecca Renata Rita Roberta Rosa Rosalind Rosemary Roxanne Ruth Sabine Sabrina Samantha Sandra Sara Sarah "
    "Saskia Selma Sharon Sheila Shirley Silvia Simone Sofia Sonia Sophia Sophie Stacy Stella Stephanie Susan Susanna Suzanne Sylvia Tamara "
    "Tanya Tara Tatiana Teresa Tessa Thelma Theresa Tina Ursula Valentina Valerie Vanessa Vera Veronica Victoria Violeta Vivian Wendy "
    "Wilma Yara Yasmin Yolanda Yvonne Zara Zoe"
)
_HE = (
    "Aaron Adam Adrian Ahmed Alan Albert Alberto Alejandro Alessandro Alexander Alfonso Alfred Ali Amir Anders Andreas Andrew Andy Anthony "
    "Anton Antonio Arjun Arnold Arthur Arturo Axel Barry Bartek Ben Benjamin Bernard Bernd Bilal Björn Bob Boris Brian Bruce Bruno Carl "
    "Carlos Cedric Charles Christian Christopher Claude Clive Colin Craig Cyril Damian Dan Daniel Dario Dave David Dennis Derek Desmond "
    "Diego Dieter Dimitri Dirk Dmitri Dominic Donald Douglas Duncan Edgar Edmund Eduardo Edward Edwin Emil Emilio Enrique Eric Erik Ernest "
    "Esteban Ethan Eugene Fabian Felipe Felix Fernando Filip Francesco Francis Francisco Frank Franz Fred Frederick Fritz Gabriel Gareth "
    "Gary Gavin Geoffrey George Gerald Gerard Gilbert Giovanni Giuseppe Gordon Graham Greg Gregory Guillermo Gunnar Gustav Guy Hans Harold "
    "Harry Hassan Hector Henri Henrik Henry Herbert Hermann Howard Hugh Hugo Ian Ibrahim Idris Ignacio Igor Isaac Ivan Jack Jacob Jacques "
    "Jaime Jake James Jan Jason Javier Jeff Jeffrey Jens Jeremy Jerome Jerry Jim Jimmy Joe Joel Johan Johann John Johnny Jon "
    "Jonas Jonathan "
    "Jorge José Jose Josef Joseph Joshua Juan Julian Julio Jürgen Karim Karl Keith Ken Kenneth Kevin Klaus Kofi Kurt Kwame Lars Larry "
    "Laurence Lawrence Leo Leon Leonard Leonardo Liam Lorenzo Louis Luca Lucas Luigi Luis Lukas Luke Magnus Malcolm Manuel Marco Marcus "
    "Mario Marius Mark Markus Martin Mateo Matteo Matthew Matthias Maurice Max Maximilian Michael Miguel Mike Milan Mohamed "
    "Mohammed Moritz "
    "Muhammad Murray Nathan Neil Nicholas Nick Nico Nicolas Nigel Nikolai Noah Norman Oleg Oliver Omar Oscar Oskar Otto Owen Pablo Patrick "
    "Paul Paulo Pavel Pedro Pete Peter Phil Philip Philippe Pierre Rafael Rahul Raj Ralph Ramon Ravi Raymond Reinhard Ricardo Richard Rick "
    "Robert Roberto Roger Rohan Roland Rolf Ronald Rory Roy Rudolf Rui Rupert Russell Ryan Salvador Sami Samir Samuel Scott Sean Sebastian "
    "Sergei Sergio Simon Stanley Stefan Stephen Steve Steven Stuart Sven Tariq Ted Terry Theodore Thomas Tim Timothy Tobias Todd Tom Tomas "
    "Tony Trevor Umberto Uwe Victor Viktor Vincent Vladimir Walter Warren Wayne Werner Wesley Wilhelm William Wolfgang Xavier Yusuf Yves"
)
_PRONOUNS = dict.fromkeys(_SHE.split(), "she") | dict.fromkeys(_HE.split(), "he")


def is_given_name(name: str) -> bool:
    """Whether a name begins with a common given name."""
    return name.partition(" ")[0] in _PRONOUNS


def pronoun_of_name(name: str) -> str:
    """ "she" or "he" for a name; empty where it cannot be told."""
    first, _, rest = name.partition(" ")
    if rest and first.strip(".") in {"Mr", "Mrs", "Ms", "Uncle", "Aunt", "Auntie", "Grandma", "Grandpa", "Granny"}:
        return "he" if first.strip(".") in {"Mr", "Uncle", "Grandpa"} else "she"
    return _PRONOUNS.get(first, "")
