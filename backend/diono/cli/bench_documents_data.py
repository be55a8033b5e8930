"""Three workbooks and twenty simple questions over them, with the answers that are right."""

from dataclasses import dataclass

SALES = """Region,Quarter,Product,Revenue (EUR),Units
North,Q1 2023,Lamp,12000,300
North,Q4 2023,Lamp,15000,360
North,Q1 2023,Chair,8000,80
North,Q4 2023,Chair,9500,95
South,Q1 2023,Lamp,20000,500
South,Q4 2023,Lamp,21000,520
South,Q1 2023,Chair,5000,50
South,Q4 2023,Chair,4000,40
West,Q1 2023,Lamp,7000,170
West,Q4 2023,Lamp,16000,390
West,Q1 2023,Chair,3000,30
West,Q4 2023,Chair,3500,36"""
POPULATION = """City,Country,2010,2015,2020
Lund,Sweden,82800,88788,94703
Bergen,Norway,256600,275112,283929
Odense,Denmark,166305,172512,180302
Turku,Finland,176087,183811,192962
Malmo,Sweden,280415,301706,316588
Total,,962207,1021929,1068484"""
STAFF = """Employee,Department,Salary,Hired,Office
Ines,Research,71000,2018-04-01,Porto
Marek,Support,38000,2021-09-15,Gdansk
Olga,Research,83000,2016-01-10,Porto
Pedro,Sales,52000,2019-06-01,Porto
Quinn,Support,41000,2022-02-01,Cork
Rosa,Sales,47000,2021-03-20,Cork
Sven,Research,66000,2023-05-02,Gdansk
Tara,Support,39500,2021-11-30,Cork"""
WORKBOOKS = {
    "sales.xlsx": ("Sales", SALES),
    "population.xlsx": ("Cities", POPULATION),
    "staff.xlsx": ("Staff", STAFF),
}


@dataclass(frozen=True)
class Asked:
    """``right``: every one of these must be in the answer's first row (or all rows of a list)."""

    workbook: str
    question: str
    right: tuple[str | float, ...]


QUESTIONS = (
    Asked("sales.xlsx", "Which region grew the most?", ("West", 9500.0)),
    Asked("sales.xlsx", "Which product brought in the most revenue?", ("Lamp", 91000.0)),
    Asked("sales.xlsx", "What is the total revenue?", (124000.0,)),
    Asked("sales.xlsx", "How many units were sold in the South?", (1110.0,)),
    Asked("sales.xlsx", "Which region sold the fewest units?", ("West", 626.0)),
    Asked("sales.xlsx", "What was the revenue of chairs in Q4 2023?", (17000.0,)),
    Asked("sales.xlsx", "Did lamp revenue grow, and by how much?", (13000.0,)),
    Asked("population.xlsx", "Which city grew the most between 2010 and 2020?", ("Malmo", 36173.0)),
    Asked("population.xlsx", "Which city grew fastest from 2015 to 2020?", ("Lund", 6.66)),
    Asked("population.xlsx", "Which city had the smallest population in 2015?", ("Lund", 88788.0)),
    Asked("population.xlsx", "What is the total population in 2020?", (1068484.0,)),
    Asked(
        "population.xlsx", "Which country had the most inhabitants in 2020?", ("Sweden", 411291.0)
    ),
    Asked("population.xlsx", "How many cities are in Sweden?", (2.0,)),
    Asked("staff.xlsx", "Who earns the most?", ("Olga", 83000.0)),
    Asked("staff.xlsx", "What is the average salary in Support?", (39500.0,)),
    Asked("staff.xlsx", "Which department has the most employees?", (3.0,)),
    Asked("staff.xlsx", "How many people were hired in 2021?", (3.0,)),
    Asked("staff.xlsx", "Which office has the highest average salary?", ("Porto", 68666.67)),
    Asked("staff.xlsx", "How many employees earn more than 50000?", (4.0,)),
    Asked("staff.xlsx", "Who was hired last?", ("Sven",)),
)
