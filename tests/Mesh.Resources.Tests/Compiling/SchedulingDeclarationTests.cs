using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Rules;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests.Compiling;

/// <summary>Every built-in profile can be written rule by rule.</summary>
public sealed class SchedulingDeclarationTests
{
    public static TheoryData<string, string> Profiles => new()
    {
        { ProfileNames.Mesh, "picker: {name: least-cost}" },
        { ProfileNames.RoundRobin, "picker: {name: round-robin}" },
        { ProfileNames.Random, "picker: {name: random}" },
        { ProfileNames.LeastRequest, "scorers: [{name: in-flight-requests}]" },
        { ProfileNames.PowerOfTwo, "scorers: [{name: in-flight-requests}]\n  picker: {name: power-of-two}" },
        { ProfileNames.EppDefault, "scorers: [{name: queue-depth, weight: 2}, {name: kv-utilization, weight: 2}, {name: prefix, weight: 3}]" },
        { ProfileNames.AffinityTokenLoad, "filters: [{name: prefix-affinity}]\n  scorers: [{name: token-load}]" },
        { ProfileNames.Session, "picker: {name: session}" },
        {
            ProfileNames.LeastLoad,
            "scorers: [{name: in-flight-requests, weight: 2}, {name: in-flight-tokens}, {name: kv-utilization}, {name: waiting-queue}]\n  picker: {name: max-score}"
        },
    };

    [Fact]
    public void Profiles_AreAll() => Assert.Equal(ProfileNames.All.Order(), Profiles.Select(p => (string)p[0]).Order());

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Compile_BuiltInWrittenRuleByRule_IsWhatTheBuiltInDeclares(string name, string yaml)
    {
        var result = Load(yaml);

        Assert.DoesNotContain(result.Diagnostics, d => d.Severity != Severity.Info);
        var scheduling = result.Config!.Pools.Single(p => p.Id.Name == "experimental").Scheduling;
        Assert.Equal(BuiltInProfiles.Declare(name), scheduling.Declared);
        Assert.Equal(name == ProfileNames.Mesh, scheduling.ChoosesByCost);
    }

    [Fact]
    public void Compile_SameManifestTwice_IsEqual()
    {
        const string Yaml = "filters: [{name: low-queue, parameters: {maxWaiting: 2}}]\n  scorers: [{name: prefix}]";

        Assert.Equal(Load(Yaml).Config!.Pools[0].Scheduling, Load(Yaml).Config!.Pools[0].Scheduling);
    }

    [Fact]
    public void Read_EveryRuleOfTheCatalogWithEveryParameterAtItsBounds_IsAccepted()
    {
        foreach (var rule in RuleCatalog.Filters.Concat(RuleCatalog.Scorers).Concat(RuleCatalog.Pickers).Where(r => !r.AlwaysOn))
        {
            foreach (var most in new[] { false, true })
            {
                var parameters = string.Join(", ", rule.Parameters.Select(p => $"{p.Name}: {(p.IsText ? "there" : most ? Text(p.Most) : Text(p.Least))}"));
                var written = $"{{name: {rule.Name}, parameters: {{{parameters}}}}}";
                var yaml = rule.Kind switch
                {
                    RuleKind.Filter => $"filters: [{written}]",
                    RuleKind.Scorer => $"scorers: [{written}]",
                    _ => $"picker: {written}",
                };
                Assert.DoesNotContain(Load(yaml).Diagnostics, d => d.Severity == Severity.Error);
            }
        }

        static string Text(double value) => value.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture);
    }

    private static LoadResult Load(string yaml)
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Fleet, "manifests");
        File.WriteAllText(Path.Combine(directory.Path, "manifests", "west", "profile.yaml"), $$"""
            apiVersion: mesh.internal/v1alpha1
            kind: SchedulingProfile
            metadata: {name: own}
            spec:
              targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}
            """ + "\n  " + yaml + "\n");
        return ManifestLoader.Load(Path.Combine(directory.Path, "manifests"));
    }
}
