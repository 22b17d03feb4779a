namespace Mesh.Dashboard.Tests.Support;

/// <summary>The tests that share the demo; one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class DashboardCollection : ICollectionFixture<DashboardFixture>
{
    public const string Name = "dashboard";
}
