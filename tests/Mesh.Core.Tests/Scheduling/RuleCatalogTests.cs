using System.Runtime.CompilerServices;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Tests.Scheduling;

public sealed class RuleCatalogTests
{
    private static IEnumerable<RuleDefinition> All => RuleCatalog.Filters.Concat(RuleCatalog.Scorers).Concat(RuleCatalog.Pickers);

    [Fact]
    public void Names_AreUniqueWithinAKind_AndAreThoseOfTheRulesThemselves()
    {
        foreach (var kind in Enum.GetValues<RuleKind>())
        {
            var names = RuleCatalog.Of(kind).SelectMany(r => r.Aliases.Add(r.Name)).ToList();
            Assert.Equal(names.Count, names.Distinct().Count());
            Assert.All(names, n => Assert.Matches("^[a-z]+(-[a-z0-9]+)*$", n));
        }

        foreach (var rule in All)
        {
            var declared = new RuleDeclaration(rule.Name);
            var name = rule.Kind switch
            {
                RuleKind.Filter => rule.Make<IEndpointFilter>(declared).Name,
                RuleKind.Scorer => rule.Make<IEndpointScorer>(declared).Name,
                _ => rule.Make<IEndpointPicker>(declared).Name,
            };
            Assert.Equal(rule.Name, name);
        }
    }

    [Fact]
    public void Catalog_HasEveryRuleOfTheAssembly()
    {
        static bool IsRule(Type type) => type is { IsClass: true, IsAbstract: false }
            && (typeof(IEndpointFilter).IsAssignableFrom(type) || typeof(IEndpointScorer).IsAssignableFrom(type) || typeof(IEndpointPicker).IsAssignableFrom(type));

        Assert.Equal(typeof(RuleCatalog).Assembly.GetTypes().Count(IsRule), All.Count());
    }

    [Fact]
    public void Parameters_HaveARangeThatHoldsTheDefault()
    {
        foreach (var parameter in All.SelectMany(r => r.Parameters).Where(p => !p.IsText))
            Assert.True(parameter.Least <= parameter.Default && parameter.Default <= parameter.Most && parameter.Least < parameter.Most, parameter.Name);
    }

    [Fact]
    public void Readme_ListsEveryRuleWithItsAliasesAndParameters()
    {
        var lines = File.ReadAllLines(Path.Combine(SourceFolder(), "../../../src/Mesh.Core/Scheduling/README.md"));
        foreach (var rule in All)
        {
            var line = lines.FirstOrDefault(l => l.StartsWith($"| `{rule.Name}` |", StringComparison.Ordinal) && l.Contains(rule.Formula.Replace("|", "\\|", StringComparison.Ordinal), StringComparison.Ordinal));
            Assert.True(line is not null, $"{rule.Kind} {rule.Name}: {rule.Formula}");
            Assert.All(rule.Aliases, a => Assert.Contains($"`{a}`", line, StringComparison.Ordinal));
            Assert.All(rule.Parameters, p => Assert.Contains($"`{p.Name}`", line, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Files_EachRuleIsOneFileWithItsFormulaInItsDoc()
    {
        foreach (var (folder, kind) in new[] { ("Filters", RuleKind.Filter), ("Scorers", RuleKind.Scorer), ("Pickers", RuleKind.Picker) })
        {
            var texts = Directory.GetFiles(Path.Combine(SourceFolder(), "../../../src/Mesh.Core/Scheduling", folder), "*.cs").Select(File.ReadAllText).ToList();
            foreach (var rule in RuleCatalog.Of(kind))
            {
                var text = Assert.Single(texts, t => t.Contains($"\"{rule.Name}\", \"", StringComparison.Ordinal));
                var doc = text[text.IndexOf("/// <summary>", StringComparison.Ordinal)..text.IndexOf("internal sealed class", StringComparison.Ordinal)];
                Assert.True(doc.Length > 60 && (kind == RuleKind.Picker || doc.Contains("<c>", StringComparison.Ordinal)), rule.Name);
            }
        }
    }

    private static string SourceFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
